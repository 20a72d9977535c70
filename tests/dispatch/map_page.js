// Feeds the map of the test page, with words in both languages, and keeps what it tells.

const english = document.documentElement.lang === 'en';
const say = (zh, en) => (english ? en : zh);
const kilometres = km => `${km < 1 ? Math.round(km * 1000) : km} ${km < 1 ? say('米', 'm') : say('公里', 'km')}`;
const TONES = { ok: say('处理中', 'at work'), warn: say('临近', 'at risk'), bad: say('已超时', 'late'), info: say('已派', 'sent'), mute: say('待排', 'to place') };

const words = {
  label: say('派工地图', 'Map of the day'),
  help: say('方向键移动，加减缩放，0 显示全部，Tab 逐个查看，Esc 离开，回车选择。', 'Arrows move, plus and minus zoom, 0 shows all, Tab goes through what is shown, Escape lets you leave, Enter selects.'),
  empty: say('没有可显示的地点', 'Nothing to show'),
  fit: say('显示全部', 'Show all'), zoomIn: say('放大', 'Zoom in'), zoomOut: say('缩小', 'Zoom out'),
  scale: ({ km }) => kilometres(km),
  station: one => say(`${one.title}站`, `Station ${one.title}`),
  person: (one, { count }) => `${one.title}, ${say(`${count} 单`, `${count} jobs`)}`,
  job: (one, stop) => [one.short, one.title, TONES[one.tone], stop && say(`${stop.person.title}第 ${stop.number} 单，共 ${stop.of} 单`, `${stop.number} of ${stop.of} with ${stop.person.title}`)].filter(Boolean).join(', '),
  area: one => `${one.title}, ${one.factor}×`,
  slow: one => say(`${one.title} ${one.factor}× 至 ${one.until}`, `${one.title} ${one.factor}× until ${one.until}`),
  factor: one => `${one.factor}×`,
  group: ({ kind, count, tones }) => (kind === 'person' ? say(`${count} 名工程师`, `${count} technicians`) : [say(`${count} 单`, `${count} jobs`), ...Object.entries(tones).map(([tone, many]) => `${many} ${TONES[tone]}`)].join(', ')),
  view: ({ km, count }) => say(`宽 ${Math.round(km)} 公里，${count} 项`, `${Math.round(km)} km wide, ${count} shown`),
  opened: say('展开 %(count)s 项', '%(count)s spread out'),
  drawing: say('开始画区域', 'Drawing an area'),
  point: say('第 %(count)s 点', 'Point %(count)s'),
  few: say('至少 %(least)s 点', 'At least %(least)s points'),
  closed: say('区域完成，%(count)s 点', 'Area of %(count)s points'),
  cancelled: say('已取消', 'Cancelled'),
};

function board() {
  const job = (id, lat, lon, zh, en, tone) => ({ id, lat, lon, title: say(zh, en), tone, short: `0041${id.slice(1).padStart(2, '0')}`, about: '14:00–15:30' });
  return {
    stations: [
      { id: 'xw', lat: 31.505, lon: 120.365, title: say('无锡新吴', 'Wuxi Xinwu') },
      { id: 'sz', lat: 31.317, lon: 120.705, title: say('苏州园区', 'Suzhou SIP') },
      { id: 'ks', lat: 31.385, lon: 120.98, title: say('昆山', 'Kunshan') },
    ],
    people: [
      { id: 't1', lat: 31.56, lon: 120.3, title: say('陆建国', 'J. Lu'), short: say('陆', 'JL'), route: ['j1', 'j2', 'j3'], about: say('空闲至 10:50', 'Free until 10:50') },
      { id: 't2', lat: 31.33, lon: 120.64, title: say('沈磊', 'L. Shen'), short: say('沈', 'LS'), tone: 'warn', route: ['j4', 'j5', 'j6'] },
      { id: 't3', lat: 31.4, lon: 121.0, title: say('赵刚', 'G. Zhao'), short: say('赵', 'GZ'), route: ['j7', 'j8'] },
      { id: 't4', lat: 31.5, lon: 120.5, title: say('陈志远', 'Z. Chen'), short: say('陈', 'ZC'), route: ['j9'] },
    ],
    jobs: [
      job('j1', 31.62, 120.36, '锡洲 换油', 'Xizhou oil', 'ok'),
      job('j2', 31.65, 120.52, '盛源 减速机漏油', 'Shengyuan gearbox', 'warn'),
      job('j3', 31.57, 120.6, '华东 油检', 'HD sample', 'info'),
      job('j4', 31.42, 120.6, '东吴 伺服', 'Dongwu servo', 'ok'),
      job('j5', 31.39, 120.78, '三祥 对刀', 'SX tools', 'info'),
      job('j6', 31.25, 120.72, '吴中 换油', 'Wuzhong oil', 'info'),
      job('j7', 31.47, 121.02, '石硕 保养', 'Shishuo PM', 'bad'),
      job('j8', 31.35, 121.08, '淀山 闸门', 'Dianshan gate', 'info'),
      job('j9', 31.46, 120.42, '新桥 液压', 'XQ hydr.', 'info'),
      job('j10', 31.2, 120.45, '太湖船舶 膜厚', 'Taihu hull', 'mute'),
      job('j11', 31.2, 120.45, '太湖船舶 露点', 'Taihu dew point', 'mute'),
      job('j12', 31.2, 120.45, '太湖船舶 起泡', 'Taihu blisters', 'bad'),
    ],
    areas: [{ id: 'a1', title: say('暴雨', 'Heavy rain'), factor: 1.5, until: '16:00', points: [[31.36, 120.8], [31.34, 120.95], [31.24, 120.92], [31.2, 120.82], [31.28, 120.76]] }],
    labels: [
      { lat: 31.49, lon: 120.31, title: say('无锡市', 'Wuxi'), rank: 1 }, { lat: 31.3, lon: 120.58, title: say('苏州市', 'Suzhou'), rank: 1 },
      { lat: 31.65, lon: 120.74, title: say('常熟市', 'Changshu'), rank: 2 }, { lat: 31.87, lon: 120.55, title: say('张家港市', 'Zhangjiagang'), rank: 2 },
      { lat: 31.45, lon: 121.13, title: say('太仓市', 'Taicang'), rank: 2 }, { lat: 31.16, lon: 120.63, title: say('吴江区', 'Wujiang'), rank: 2 },
    ],
  };
}

// Any number, without chance: every try shows the same.
function many(people, jobs) {
  let seed = 7;
  const chance = () => { seed = (seed * 16807) % 2147483647; return seed / 2147483647; };
  const around = () => chance() + chance() - 1;
  const towns = Array.from({ length: 12 }, () => [31.4 + 1.2 * around(), 120.6 + 1.6 * around()]);
  const near = at => { const [lat, lon] = towns[at % towns.length]; return { lat: lat + 0.3 * around(), lon: lon + 0.35 * around() }; };
  const each = jobs / people;
  return {
    stations: towns.map(([lat, lon], at) => ({ id: `s${at}`, lat, lon, title: `${say('站', 'Station')} ${at + 1}` })),
    people: Array.from({ length: people }, (_, at) => ({ id: `t${at}`, ...near(at), title: `${say('工程师', 'Technician')} ${at + 1}`, short: `T${at + 1}`, route: Array.from({ length: each }, (_one, stop) => `j${at * each + stop}`) })),
    jobs: Array.from({ length: jobs }, (_, at) => ({ id: `j${at}`, ...near(Math.floor(at / each)), title: `${say('工单', 'Job')} ${at}`, short: `00${1000 + at}`, tone: ['ok', 'info', 'info', 'warn', 'mute', 'info', 'bad'][Math.floor(chance() * 7)] })),
    areas: board().areas,
    labels: board().labels,
  };
}

const map = document.querySelector('dispatch-map');
const told = [];
for (const name of ['hover', 'select', 'area', 'cancel', 'view']) map.addEventListener(`map-${name}`, ({ detail }) => told.push([name, detail]));
map.words = words;
map.data = board();
Object.assign(window, { map, told, board, many });
