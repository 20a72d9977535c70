// Photos are made smaller on the tablet: a plant's link is thin, and the place in a photo's EXIF is nobody's business.

const LONGEST = 2048;
const QUALITY = 0.85;

/** The picture as JPEG bytes, at most 2048 pixels long; a file that cannot be read here goes as it is. */
export async function shrink(file) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: 'from-image' });
  } catch {
    return file.arrayBuffer(); // the server says whether it can use it
  }
  const scale = Math.min(1, LONGEST / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement('canvas');
  canvas.width = Math.round(bitmap.width * scale);
  canvas.height = Math.round(bitmap.height * scale);
  canvas.getContext('2d').drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return bytesOf(canvas, 'image/jpeg', QUALITY);
}

/** What is drawn on a canvas, as bytes (stored as ArrayBuffer: WebKit loses Blobs in IndexedDB). */
export function bytesOf(canvas, type, quality) {
  return new Promise((resolve, reject) => {
    canvas.toBlob(blob => (blob ? blob.arrayBuffer().then(resolve, reject) : reject(new Error('no picture'))), type, quality);
  });
}
