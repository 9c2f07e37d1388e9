@testable import CheckpointChain
import CheckpointCodec
import CheckpointImage
import Storage
import TestSupport
import Testing

@Suite struct SegmentScanTests {
  /// A guest may hold one frame behind another in its memory: looking at each costs little.
  @Test func framesWithoutBodies() throws {
    let folder = try TestFolder()
    let header = ImageHeader(
      architecture: .x86, captureID: [UInt8](repeating: 1, count: 16), ascendingUnique: true)
    let frame = SegmentFrame(
      rawKind: SegmentKind.region.rawValue, flags: SegmentFrame.flags(of: .region), ordinal: 1,
      bodyLength: 0, bodyChecksum: 1)
    let frames = (0..<8192).flatMap { _ in frame.encoded() }
    try folder.write([UInt8](repeating: 0, count: 64) + frames, as: "frames")
    let file = try InputFile(folder.path("frames"))
    #expect(try SegmentScan(file, header).segments.isEmpty)
    #expect(file.bytesRead < 300 * file.length)
  }
}
