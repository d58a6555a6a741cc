/** The browser cannot draw what it was given. */
export class PngError extends Error {
  override readonly name = 'PngError';
}

/**
 * Makes a PNG of an SVG that says how large it is and needs nothing from elsewhere.
 * @param scale pixels of a unit of the SVG
 * @throws PngError if it is no such SVG, or too large for the browser
 */
export async function toPng(svg: string, scale: number): Promise<Blob> {
  const url = URL.createObjectURL(new Blob([svg], { type: 'image/svg+xml' }));
  try {
    const image = new Image();
    image.src = url;
    await image.decode().catch(() => {
      throw new PngError('the picture cannot be drawn: it is no SVG that this browser reads');
    });
    const canvas = document.createElement('canvas');
    canvas.width = Math.round(image.naturalWidth * scale);
    canvas.height = Math.round(image.naturalHeight * scale);
    canvas.getContext('2d')?.drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise((resolve, reject) => {
      canvas.toBlob((blob) => {
        if (blob === null) reject(new PngError(`the picture is too large: ${canvas.width} by ${canvas.height} pixels`));
        else resolve(blob);
      }, 'image/png');
    });
  } finally {
    URL.revokeObjectURL(url);
  }
}
