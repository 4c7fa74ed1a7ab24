/** Line drawings of furniture: what stands where a product has no photo yet. 48 × 48. */

const SHAPES = {
  sofa: "M8 25v-7a4 4 0 0 1 4-4h24a4 4 0 0 1 4 4v7M12 30v-4a3.5 3.5 0 1 0-7 0v9h38v-9a3.5 3.5 0 1 0-7 0v4zM24 14v16M9 35v4M39 35v4",
  armchair: "M14 24v-9a4 4 0 0 1 4-4h12a4 4 0 0 1 4 4v9M16 31v-4a3.5 3.5 0 1 0-7 0v8h30v-8a3.5 3.5 0 1 0-7 0v4zM13 35l-1 5M35 35l1 5",
  bed: "M6 38V16M6 33h36v5M42 33v-4a6 6 0 0 0-6-6H6M11 23v-1a3 3 0 0 1 3-3h5a3 3 0 0 1 3 3v1",
  table: "M5 17h38v4H5zM10 21l-2 18M38 21l2 18",
  chair: "M16 8l2 18h13M18 26l-3 14M31 26l3 14M31 26a2 2 0 0 0 0-4H17.5",
  lamp: "M17 8h14l6 14H11zM24 22v16M16 40h16M24 38v2",
  storage: "M9 8h30v31H9zM9 18h30M9 28.5h30M21 13h6M21 23.3h6M21 33.8h6M13 39v3M35 39v3",
  rug: "M6 14h36v20H6zM11 19h26v10H11zM6 10v4M15 10v4M24 10v4M33 10v4M42 10v4M6 34v4M15 34v4M24 34v4M33 34v4M42 34v4",
  mirror: "M24 6c8 0 13 7 13 18s-5 18-13 18-13-7-13-18S16 6 24 6zM18 18l8-6M17 28l14-11",
};

/** Words of names and categories, most telling first. */
const WORDS = [
  [/canap|sofa|couch|banquette/, "sofa"],
  [/fauteuil|armchair|pouf/, "armchair"],
  [/matelas|\blit\b|sommier|bed|mattress|t[êe]te de lit/, "bed"],
  [/lamp|luminaire|suspension|lampadaire|applique/, "lamp"],
  [/tapis|rug|plaid|rideau|coussin/, "rug"],
  [/miroir|mirror|cadre/, "mirror"],
  [/table|bureau|desk|console/, "table"],
  [/chaise|tabouret|chair|banc|stool/, "chair"],
  [/./, "storage"],
];

/**
 * The drawing of what a product seems to be, as the `d` of a path.
 * @param {string} words its name and category
 */
export function drawingOf(words) {
  const plain = words.toLowerCase();
  const [, shape] = WORDS.find(([pattern]) => pattern.test(plain)) ?? [, "storage"];
  return SHAPES[shape];
}
