//! An SVG as pixels, with a font that comes along: no fonts of the system are asked for, so the same figure has the same pixels everywhere.

use crate::error::Error;
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree};
use std::sync::Arc;

/// The most pixels of a picture.
const MOST: f32 = 64e6;

/// Renders it, each pixel of the figure as `scale` by `scale` ones.
pub fn png(svg: &str, scale: f32) -> Result<Vec<u8>, Error> {
    let refused = |error: &dyn std::fmt::Display| Error::Draw(error.to_string());
    let mut options = Options::default();
    let fonts = Arc::make_mut(&mut options.fontdb);
    fonts.load_font_data(notosans::REGULAR_TTF.to_vec());
    fonts.load_font_data(notosans::BOLD_TTF.to_vec());
    fonts.set_sans_serif_family("Noto Sans");
    let tree = Tree::from_str(svg, &options).map_err(|error| refused(&error))?;
    let size = tree.size();
    let (width, height) = (size.width() * scale, size.height() * scale);
    if !(scale > 0.0 && width * height <= MOST) {
        return Err(refused(&"the picture would be too large"));
    }
    let mut pixels = Pixmap::new(width.ceil() as u32, height.ceil() as u32)
        .ok_or_else(|| refused(&"the picture has no size"))?;
    resvg::render(
        &tree,
        Transform::from_scale(scale, scale),
        &mut pixels.as_mut(),
    );
    pixels.encode_png().map_err(|error| refused(&error))
}
