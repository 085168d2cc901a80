// The table of mfs-ways as a picture: one bar a way, its cycles per request, the
// copying dark, the rest light, and the bound as a line across. SVG.

import type { WayRow } from "./ways.js";

const LEFT = 110;
const RIGHT = 40;
const TOP = 72;
const BAR = 26;
const GAP = 18;
const WIDTH = 860;
const BOTTOM = 64;
const DARK = "#2b5876";
const LIGHT = "#9fc3dc";
const MARK = "#b5402a";

/** A round step of which some five make `most`. */
function stepOf(most: number): number {
  const power = 10 ** Math.floor(Math.log10(most / 5));
  return [1, 2, 5, 10].map((n) => n * power).find((n) => most / n <= 6) ?? 10 * power;
}

const thousands = (n: number) => Math.round(n).toLocaleString("en-US");

/** The picture. `title` tells processor and request size. */
export function waysPlot(rows: readonly WayRow[], title: string): string {
  const ways = rows.filter((row) => row.way !== "bound");
  const bound = rows.find((row) => row.way === "bound")?.cycles ?? 0;
  const most = Math.max(...rows.map((row) => row.cycles), 1) * 1.12;
  const room = WIDTH - LEFT - RIGHT;
  const x = (cycles: number) => (LEFT + (cycles / most) * room).toFixed(1);
  const bottom = TOP + ways.length * (BAR + GAP);
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${bottom + BOTTOM}" ` +
      `viewBox="0 0 ${WIDTH} ${bottom + BOTTOM}" font-family="sans-serif" font-size="13">`,
    `<rect width="100%" height="100%" fill="white"/>`,
    `<text x="${LEFT}" y="24" font-size="16">${title}</text>`,
  ];
  for (let at = 0; at <= most; at += stepOf(most)) {
    parts.push(
      `<line x1="${x(at)}" y1="${TOP - 8}" x2="${x(at)}" y2="${bottom}" stroke="#dddddd"/>`,
      `<text x="${x(at)}" y="${bottom + 18}" text-anchor="middle" fill="#555555">${thousands(at)}</text>`,
    );
  }
  for (const [i, row] of ways.entries()) {
    const y = TOP + i * (BAR + GAP);
    const end = Number(x(row.cycles));
    const copied = Number(x(Math.min(row.copying, row.cycles)));
    parts.push(
      `<text x="${LEFT - 10}" y="${y + 18}" text-anchor="end">${row.way}</text>`,
      `<rect x="${LEFT}" y="${y}" width="${(copied - LEFT).toFixed(1)}" height="${BAR}" fill="${DARK}"/>`,
      `<rect x="${copied}" y="${y}" width="${(end - copied).toFixed(1)}" height="${BAR}" fill="${LIGHT}"/>`,
      label(row, end, y + 18),
    );
  }
  parts.push(
    `<line x1="${x(bound)}" y1="${TOP - 14}" x2="${x(bound)}" y2="${bottom}" stroke="${MARK}" ` +
      `stroke-dasharray="5 3" stroke-width="1.5"/>`,
    `<text x="${x(bound)}" y="${TOP - 18}" text-anchor="middle" fill="${MARK}">bare copy ${thousands(bound)}</text>`,
    ...legend(bottom + 44),
    "</svg>",
  );
  return `${parts.join("\n")}\n`;
}

/** Cycles and misses of a way: behind the bar, or at its end inside when there is no room. */
function label(row: WayRow, end: number, y: number): string {
  const text = `${thousands(row.cycles)} · ${row.times_bound.toFixed(2)}× · ${row.tlb_misses.toFixed(0)} misses`;
  const inside = end + text.length * 7 + 8 > WIDTH;
  const fill = inside ? "#10222e" : "#222222";
  const x = (inside ? end - 8 : end + 8).toFixed(1);
  return `<text x="${x}" y="${y}" ${inside ? 'text-anchor="end" ' : ""}fill="${fill}">${text}</text>`;
}

function legend(y: number): string[] {
  return [
    `<rect x="${LEFT}" y="${y - 11}" width="12" height="12" fill="${DARK}"/>`,
    `<text x="${LEFT + 18}" y="${y}">copying, with its page faults</text>`,
    `<rect x="${LEFT + 230}" y="${y - 11}" width="12" height="12" fill="${LIGHT}"/>`,
    `<text x="${LEFT + 248}" y="${y}">everything else from mfs_strategy to biodone (cycles)</text>`,
  ];
}
