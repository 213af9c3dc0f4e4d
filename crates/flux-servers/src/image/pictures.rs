//! Pictures on a disk, and as JPEG.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use http::{Entity, FileState};
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{self, FilterType};
use image::{ImageReader, ImageResult, Limits, RgbImage};
use tempfile::TempDir;

/// Neither side of a picture may be longer, in pixels.
const MOST_PIXELS: u32 = 16_384;
/// Nor may it take more memory than this while it is read.
const MOST_BYTES: u64 = 256 << 20;
/// Those that there are without a folder.
const MADE: [&str; 5] = ["one", "two", "three", "four", "five"];
const MADE_PIXELS: (u32, u32) = (640, 480);

/// Which pictures there are: looked up once, so that no request names a path.
pub(crate) struct Pictures {
    numbers: HashMap<String, usize>,
    paths: Vec<PathBuf>,
    /// Where they were made, if they were: it goes with them.
    folder: Option<TempDir>,
}

/// A picture, as pixels.
pub(crate) struct Picture {
    pixels: RgbImage,
    /// When its file was modified: seconds since the epoch, and nanoseconds.
    modified: (i64, u32),
}

/// A picture, compressed, and what answers about it have in common.
#[derive(Debug, Clone)]
pub(crate) struct Jpeg(Arc<(Entity, Vec<u8>)>);

impl Pictures {
    /// Those of a folder, PNG and PPM, each under its name without the extension.
    ///
    /// # Errors
    /// A folder that cannot be read, or has none.
    pub(crate) fn of(folder: &Path) -> Result<Self, String> {
        let cannot_read = |error| format!("cannot read the folder {}: {error}", folder.display());
        let mut pictures = Self {
            numbers: HashMap::new(),
            paths: Vec::new(),
            folder: None,
        };
        for entry in fs::read_dir(folder).map_err(cannot_read)? {
            let path = entry.map_err(cannot_read)?.path();
            let extension = path.extension().and_then(|extension| extension.to_str());
            let is_one = extension.is_some_and(|extension| {
                ["png", "ppm"].contains(&extension.to_ascii_lowercase().as_str())
            });
            if let (true, Some(name)) = (is_one, path.file_stem().and_then(|name| name.to_str())) {
                pictures.numbers.insert(name.into(), pictures.paths.len());
                pictures.paths.push(path);
            }
        }
        if pictures.paths.is_empty() {
            let folder = folder.display();
            return Err(format!(
                "there are no pictures in {folder}: it needs files that end in .png or .ppm"
            ));
        }
        Ok(pictures)
    }

    /// Five that are always the same, in a folder that goes with them.
    ///
    /// # Errors
    /// Where they cannot be written.
    pub(crate) fn made() -> Result<Self, String> {
        let make = || {
            let folder = tempfile::tempdir()?;
            for (number, name) in (0_u32..).zip(MADE) {
                let path = folder.path().join(name).with_extension("ppm");
                made(number).save(path).map_err(std::io::Error::other)?;
            }
            Ok(folder)
        };
        let folder =
            make().map_err(|error: std::io::Error| format!("cannot make pictures: {error}"))?;
        let mut pictures = Self::of(folder.path())?;
        pictures.folder = Some(folder);
        Ok(pictures)
    }

    /// The number of a picture, by its name.
    pub(crate) fn number(&self, name: &str) -> Option<usize> {
        self.numbers.get(name).copied()
    }

    /// Reads a picture.
    ///
    /// # Errors
    /// A file that has gone, is no picture, or is too large.
    pub(crate) fn read(&self, number: usize) -> ImageResult<Picture> {
        let path = &self.paths[number];
        let metadata = fs::metadata(path)?;
        let mut reader = ImageReader::open(path)?.with_guessed_format()?;
        let mut limits = Limits::default();
        limits.max_image_width = Some(MOST_PIXELS);
        limits.max_image_height = Some(MOST_PIXELS);
        limits.max_alloc = Some(MOST_BYTES);
        reader.limits(limits);
        let nanoseconds = u32::try_from(metadata.mtime_nsec()).unwrap_or(0);
        Ok(Picture {
            pixels: reader.decode()?.into_rgb8(),
            modified: (metadata.mtime(), nanoseconds),
        })
    }
}

impl Picture {
    /// The picture at so many eighths of its width and height, as JPEG of a quality from 1 to 100.
    ///
    /// # Errors
    /// What the encoder reports.
    pub(crate) fn compress(&self, eighths: u8, quality: u8) -> ImageResult<Jpeg> {
        let side = |pixels: u32| (pixels * u32::from(eighths)).div_ceil(8).max(1);
        let (width, height) = self.pixels.dimensions();
        let mut bytes = Vec::new();
        let mut encoder = JpegEncoder::new_with_quality(&mut bytes, quality);
        match eighths {
            8 => encoder.encode_image(&self.pixels)?,
            _ => encoder.encode_image(&imageops::resize(
                &self.pixels,
                side(width),
                side(height),
                FilterType::Triangle,
            ))?,
        }
        Ok(Jpeg::new(bytes, self.modified))
    }
}

impl Jpeg {
    /// These bytes, of a picture that was modified then.
    pub(crate) fn new(bytes: Vec<u8>, modified: (i64, u32)) -> Self {
        let state = FileState {
            len: bytes.len() as u64,
            modified,
            ..FileState::default()
        };
        Self(Arc::new((Entity::new(b"picture.jpg", state), bytes)))
    }

    /// What answers about it have in common.
    pub(crate) fn entity(&self) -> &Entity {
        &self.0.0
    }

    /// The file.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0.1
    }
}

/// Slopes of colour, and a pattern that differs from picture to picture.
fn made(number: u32) -> RgbImage {
    let (width, height) = MADE_PIXELS;
    RgbImage::from_fn(width, height, |x, y| {
        let pattern = ((x * (number + 1)) ^ y) & 0x3f;
        let shade = |part: u32, of: u32| u8::try_from(part * 191 / of + pattern).unwrap_or(u8::MAX);
        image::Rgb([
            shade(x, width),
            shade(y, height),
            shade(x + y, width + height),
        ])
    })
}
