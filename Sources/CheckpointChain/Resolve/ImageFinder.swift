public import CheckpointImage
public import Storage

/// Finds images by the moment they carry, wherever images lie: folders, a store, a list.
///
/// What a finder gives are candidates: `ChainResolver` opens each and decides. A location is whatever the finder
/// can open again, such as a path.
public protocol ImageFinder: AnyObject {
  /// Where it looks, for messages.
  var places: String { get }

  /// Images that have a name, which is where a parent was when its child was written: cheap to ask, and often
  /// enough.
  func images(named name: String) throws(CheckpointError) -> [String]

  /// Images that carry a moment, by their trailers or by a listing; those first that need no ancestors.
  func images(carrying moment: Digest) throws(CheckpointError) -> [String]

  /// The bytes at a location.
  func open(_ location: String) throws(CheckpointError) -> any RangeReader
}
