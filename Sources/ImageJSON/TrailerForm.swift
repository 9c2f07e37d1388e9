internal import CheckpointImage

/// A trailer (Spec, "Trailer"): only what differs from the segments before it.
struct TrailerForm: Codable {
  var rootOffset: UInt64?
  var rootLength: UInt64?
  var segments: UInt64?
  var fileLength: UInt64?
  var checkpointID: HexDigest?
  var fileID: HexDigest?

  enum CodingKeys: String, CodingKey {
    case rootOffset = "Root_Offset"
    case rootLength = "Root_Length"
    case segments = "Segments"
    case fileLength = "File_Length"
    case checkpointID = "Checkpoint_ID"
    case fileID = "File_ID"
  }

  init(_ trailer: ImageTrailer, _ sealer: Sealer) {
    func differing<T: Equatable>(_ value: T, _ expected: T) -> T? {
      value == expected ? nil : value
    }
    let followed = sealer.trailer
    rootOffset = differing(trailer.rootOffset, followed.rootOffset)
    rootLength = differing(trailer.rootLength, followed.rootLength)
    segments = differing(trailer.segmentCount, followed.segmentCount)
    fileLength = differing(trailer.fileLength, followed.fileLength)
    checkpointID = differing(trailer.checkpointID, followed.checkpointID).map(HexDigest.init)
    fileID = differing(trailer.fileID, followed.fileID).map(HexDigest.init)
  }

  func body(_ sealer: Sealer) -> [UInt8] {
    var trailer = sealer.trailer
    if let rootOffset { trailer.rootOffset = rootOffset }
    if let rootLength { trailer.rootLength = rootLength }
    if let segments { trailer.segmentCount = segments }
    if let fileLength { trailer.fileLength = fileLength }
    if let checkpointID { trailer.checkpointID = checkpointID.digest }
    if let fileID { trailer.fileID = fileID.digest }
    return trailer.encoded()
  }
}
