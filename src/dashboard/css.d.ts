/** Style sheets are bundled, never imported by name. */
declare module "*.css";
