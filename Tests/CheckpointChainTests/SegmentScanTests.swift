@testable import CheckpointChain
import CheckpointCodec
import CheckpointImage
import Storage
import TestSupport
import Testing

/// A guest may hold one frame behind another in its memory: looking at each costs little.
@Suite struct SegmentScanTests {
  /// What is read to find the next frame, if it lies near: a window of the file, and the frame, which is read again to
  /// check it, to read its segment, and for what it promised.
  private static let costOfFrame = UInt64(4096 + 3 * SegmentFrame.byteCount)

  private static let header = ImageHeader(
    architecture: .x86, captureID: [UInt8](repeating: 1, count: 16), ascendingUnique: true)

  /// Scans a file of nothing but frames, of which none is that of a sound segment.
  private func scan(frames count: Int, bodyLength: UInt64) throws -> LocalFile {
    let folder = try TestFolder()
    let frame = SegmentFrame(
      rawKind: SegmentKind.region.rawValue, flags: SegmentFrame.flags(of: .region), ordinal: 1,
      bodyLength: bodyLength, bodyChecksum: 1)
    let frames = [[UInt8]](repeating: frame.encoded(), count: count).flatMap(\.self)
    try folder.write([UInt8](repeating: 0, count: 64) + frames, as: "frames")
    let file = try LocalFile(folder.path("frames"))
    let scan = try SegmentScan(file, Self.header, Cancellation())
    #expect(scan.segments.isEmpty)
    // That there is no header; what merely looks like a frame is nothing to tell of.
    #expect(scan.findings.map(\.offset) == [0])
    return file
  }

  @Test(arguments: [1, 512, 8192]) func framesWithoutBodies(count: Int) throws {
    let file = try scan(frames: count, bodyLength: 0)
    // Each frame is looked at once. In front of them it is the two places that might be the first.
    let most = UInt64(count + 2) * Self.costOfFrame
    #expect(file.bytesRead <= most, "\(file.bytesRead) bytes, \(most) would do")
  }

  /// Bodies that overlap: reading all of them would be the square of the file.
  @Test func framesThatPromiseTheRestOfTheFile() throws {
    let (count, body) = (32768, 1 << 19)
    let file = try scan(frames: count, bodyLength: UInt64(body))
    // As many as four segments of the largest size and the file itself, however many there are.
    let budget = file.length + 4 * UInt64(Limits.maximumBody)
    let frames = budget / UInt64(body) + 1
    let most = budget + UInt64(body) + frames * Self.costOfFrame
    #expect(file.bytesRead <= most, "\(file.bytesRead) bytes, \(most) would do")
    #expect(file.bytesRead < UInt64(count / 2 * body) / 4)
  }

  /// Bodies that the file is too short for are not read, and only a few are believed that far.
  @Test func framesThatPromiseMoreThanThereIs() throws {
    let file = try scan(frames: 8192, bodyLength: UInt64(Limits.maximumBody))
    // The file is read ahead, once.
    let most = file.length
    #expect(file.bytesRead <= most, "\(file.bytesRead) bytes, \(most) would do")
  }
}
