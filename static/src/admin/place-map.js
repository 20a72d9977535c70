// <place-map>: a map without a map server. It shows the names of divisions, our stations and drawn territories, and
// lets a place be set (data-mode="point") or an area be drawn (data-mode="area"); the form's fields hold the result.

import L from 'leaflet';

const CHINA = [[18, 73], [54, 135]];
const TYPED = 300; // ms

class PlaceMap extends HTMLElement {
  connectedCallback() {
    if (this.map) return;
    this.setAttribute('role', 'group');
    this.setAttribute('aria-label', this.dataset.label);
    this.map = L.map(this, { attributionControl: false, zoomSnap: 0.5, minZoom: 3, maxZoom: 17 });
    this.names = L.layerGroup().addTo(this.map);
    this.map.on('moveend', () => this.refresh());
    if (this.dataset.mode === 'area') this.drawArea(); else this.setPoint();
  }

  color(name) { return getComputedStyle(this).getPropertyValue(name).trim(); }

  field(name) { return document.getElementById(this.dataset[name]); }

  async refresh() {
    const bounds = this.map.getBounds();
    const url = new URL(this.dataset.around, location.href);
    const frame = { s: bounds.getSouth(), w: bounds.getWest(), n: bounds.getNorth(), e: bounds.getEast() };
    for (const [name, value] of Object.entries(frame)) url.searchParams.set(name, value.toFixed(4));
    const answer = await fetch(url, { headers: { Accept: 'application/json' } }).catch(() => null);
    if (!answer?.ok) return;
    const { divisions, stations, areas } = await answer.json();
    this.names.clearLayers();
    const label = (at, text) => L.circleMarker(at, { radius: 2, color: this.color('--ink-3'), weight: 1, interactive: false })
      .bindTooltip(text, { permanent: true, direction: 'right', className: 'map-name', offset: [2, 0] }).addTo(this.names);
    divisions.slice(0, 120).forEach(one => label(one.at, one.name));
    for (const one of areas) {
      L.polygon(one.corners, { color: this.color('--s3'), weight: 1, fillOpacity: 0.08, interactive: false }).addTo(this.names);
    }
    for (const one of stations) {
      L.circleMarker(one.at, { radius: 5, color: this.color('--accent'), fillOpacity: 0.6, interactive: false })
        .bindTooltip(one.name, { permanent: true, direction: 'top', className: 'map-name' }).addTo(this.names);
    }
  }

  setPoint() {
    const [latitude, longitude] = [this.field('latitude'), this.field('longitude')];
    const datum = document.getElementById('datum');
    const place = at => {
      const icon = L.divIcon({ className: 'map-pin', iconSize: [18, 18], iconAnchor: [9, 9] });
      if (!this.pin) {
        this.pin = L.marker(at, { draggable: true, icon, keyboard: true, alt: this.dataset.label }).addTo(this.map);
        this.pin.getElement().setAttribute('aria-label', this.dataset.label);
        this.pin.on('dragend', () => write(this.pin.getLatLng()));
      }
      this.pin.setLatLng(at);
    };
    const write = at => {
      latitude.value = at.lat.toFixed(6);
      longitude.value = at.wrap().lng.toFixed(6);
      if (datum) datum.value = 'WGS-84';
      place(at);
    };
    const typed = () => {
      const at = [Number(latitude.value), Number(longitude.value)];
      if (latitude.value && longitude.value && at.every(Number.isFinite)) { place(at); this.map.setView(at, 11); }
    };
    this.map.fitBounds(CHINA);
    typed();
    let timer;
    for (const input of [latitude, longitude]) {
      input.addEventListener('input', () => { clearTimeout(timer); timer = setTimeout(typed, TYPED); });
    }
    this.map.on('click', event => write(event.latlng));
  }

  drawArea() {
    const field = this.field('corners');
    const corners = () => field.value.split(/[;；\n]+/).map(one => one.trim().split(/[\s,，]+/).map(Number))
      .filter(one => one.length === 2 && one.every(Number.isFinite));
    const line = L.polygon([], { color: this.color('--accent'), weight: 2, fillOpacity: 0.12, interactive: false }).addTo(this.map);
    const handles = L.layerGroup().addTo(this.map);
    const write = points => {
      field.value = points.map(([a, b]) => `${Number(a.toFixed(6))} ${Number(b.toFixed(6))}`).join('; ');
      show();
    };
    const show = () => {
      const points = corners();
      line.setLatLngs(points);
      handles.clearLayers();
      points.forEach((point, place) => {
        const icon = L.divIcon({ className: 'map-corner', iconSize: [14, 14], iconAnchor: [7, 7] });
        const handle = L.marker(point, { draggable: true, icon, alt: String(place + 1) }).addTo(handles);
        handle.getElement().setAttribute('aria-label', `${this.dataset.label} ${place + 1}`);
        handle.on('drag', () => { points[place] = [handle.getLatLng().lat, handle.getLatLng().lng]; line.setLatLngs(points); });
        handle.on('dragend', () => write(points));
        handle.on('dblclick contextmenu', () => write(points.filter((_, other) => other !== place)));
      });
      return points;
    };
    const points = show();
    if (points.length) this.map.fitBounds(line.getBounds().pad(0.3)); else this.map.fitBounds(CHINA);
    field.addEventListener('change', show);
    this.map.doubleClickZoom.disable();
    this.map.on('click', event => write([...corners(), [event.latlng.lat, event.latlng.lng]]));
  }
}

customElements.define('place-map', PlaceMap);
