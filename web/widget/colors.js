/** Which text can be read on the shop's colour? */

const DARK = "#14201c";
const LIGHT = "#ffffff";

/**
 * Black or white, by the relative luminance of WCAG 2.
 * @param {string} color as computed by the browser: `rgb(44, 90, 76)`
 */
export function readableOn(color) {
  const [red, green, blue] = (color.match(/[\d.]+/g) ?? ["0", "0", "0"]).map(Number);
  const [r, g, b] = [red, green, blue].map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  const luminance = 0.2126 * r + 0.7152 * g + 0.0722 * b;
  return 1.05 / (luminance + 0.05) >= 4.5 ? LIGHT : DARK;
}
