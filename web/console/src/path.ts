/**
 * Where the robot will be: the way it goes before a command given now can show, and the way it needs to
 * stand, seen by a camera over flat ground. Pure.
 */

import type { CameraView } from "@farhand/client";

/** Metres and radians per second, forward and to the left. */
export interface Twist {
  readonly v: number;
  readonly w: number;
}

/** On the ground, from the robot's middle: m ahead, m to the left, rad to the left. */
export interface Place {
  readonly x: number;
  readonly y: number;
  readonly yaw: number;
}

/** In the picture, 0 to 1 from its top left corner. */
export interface Spot {
  readonly u: number;
  readonly v: number;
}

/** A camera of a robot that does not say: rather low, level, a wide lens. The path is then a rough one. */
export const USUAL_VIEW: CameraView = {
  fovRad: 1.2,
  heightM: 0.5,
  forwardM: 0,
  yawRad: 0,
  pitchRad: 0,
  onHead: false,
};
/** Robots do not say how hard they brake; most bases brake harder. */
export const BRAKING_MPS2 = 1;
/** Nearer to the lens a point has no place in the picture. */
const NEAREST_M = 0.05;
const STRAIGHT_RADPS = 1e-4;

/** Where `twist` leads in `seconds`. */
export function placeAfter({ v, w }: Twist, seconds: number): Place {
  const yaw = w * seconds;
  if (Math.abs(w) < STRAIGHT_RADPS) return { x: v * seconds, y: 0, yaw };
  const radius = v / w;
  return { x: radius * Math.sin(yaw), y: radius * (1 - Math.cos(yaw)), yaw };
}

/** How long the robot goes on after the order to stand, as if it kept its speed: half of the braking time. */
export const brakingS = ({ v }: Twist): number => Math.abs(v) / BRAKING_MPS2 / 2;

/** Places from `fromS` to `toS`, both ends included. */
export function arc(twist: Twist, fromS: number, toS: number, steps: number): Place[] {
  const step = (toS - fromS) / steps;
  return Array.from({ length: steps + 1 }, (_, i) => placeAfter(twist, fromS + i * step));
}

/** A point beside a place, `side` m to its left. */
export const beside = ({ x, y, yaw }: Place, side: number): Place => ({
  x: x - side * Math.sin(yaw),
  y: y + side * Math.cos(yaw),
  yaw,
});

/**
 * Where a point on the ground is seen; `null`: behind the camera.
 * `pan` and `tilt` are the head's, rad to the left and up; `ratio` is width by height of the picture.
 */
export function seen(
  view: CameraView,
  head: { readonly pan: number; readonly tilt: number },
  ratio: number,
  { x, y }: Place,
): Spot | null {
  const yaw = view.yawRad + (view.onHead ? head.pan : 0);
  const down = view.pitchRad - (view.onHead ? head.tilt : 0);
  const dx = x - view.forwardM;
  const ahead = dx * Math.cos(yaw) + y * Math.sin(yaw);
  const left = y * Math.cos(yaw) - dx * Math.sin(yaw);
  const depth = ahead * Math.cos(down) + view.heightM * Math.sin(down);
  const up = ahead * Math.sin(down) - view.heightM * Math.cos(down);
  if (depth < NEAREST_M) return null;
  const focal = 0.5 / Math.tan(view.fovRad / 2);
  return { u: 0.5 - (focal * left) / depth, v: 0.5 - (focal * ratio * up) / depth };
}
