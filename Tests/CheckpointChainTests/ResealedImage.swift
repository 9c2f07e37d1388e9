@testable import CheckpointCodec
import CheckpointImage
import TestSupport

/// An image's bytes that can be changed and then made consistent again: checksums, the root's table of
/// digests and the file ID, so that only what lies deeper can find the change.
struct ResealedImage {
  struct Segment {
    var offset: Int
    var rawKind: UInt16
    var bodyLength: Int
    var kind: SegmentKind? { SegmentKind(rawValue: rawKind) }
  }

  private(set) var bytes: [UInt8]
  let segments: [Segment]
  private let alignmentShift: UInt8

  init(_ bytes: [UInt8]) throws {
    self.bytes = bytes
    var segments: [Segment] = []
    var offset = 0
    alignmentShift = bytes[SegmentFrame.byteCount + 5]
    while offset < bytes.count {
      let frame = try SegmentFrame(
        parsing: Array(bytes[offset..<offset + SegmentFrame.byteCount]).rawSpan,
        at: UInt64(offset))
      segments.append(
        Segment(offset: offset, rawKind: frame.rawKind, bodyLength: Int(frame.bodyLength)))
      offset +=
        SegmentFrame.byteCount + Int(frame.bodyLength)
        + SegmentFrame.padding(
          bodyLength: frame.bodyLength, alignmentShift: alignmentShift, rawKind: frame.rawKind)
    }
    self.segments = segments
  }

  func body(_ segment: Segment) -> [UInt8] {
    let start = segment.offset + SegmentFrame.byteCount
    return Array(bytes[start..<start + segment.bodyLength])
  }

  /// Changes one bit of a segment's body.
  mutating func flip(_ segment: Segment, at place: Int, bit: Int = 0) {
    bytes[segment.offset + SegmentFrame.byteCount + place] ^= 1 << UInt8(bit)
  }

  private mutating func put(_ value: [UInt8], at offset: Int) {
    bytes.replaceSubrange(offset..<offset + value.count, with: value)
  }

  /// Makes all digests of segments, the file ID and all checksums right again, innermost first.
  mutating func reseal() {
    guard let root = segments.last(where: { $0.kind == .root }),
      let trailer = segments.last(where: { $0.kind == .trailer })
    else { return }
    let rootBody = root.offset + SegmentFrame.byteCount
    var entry = rootBody + 184
    for segment in segments {
      switch segment.kind {
      case .region, .index, .root, .trailer: continue
      default: break
      }
      put(SHA256Hasher.digest(of: body(segment)).bytes, at: entry + 32)
      entry += 64
    }
    for segment in segments where segment.kind == .index {
      put(SHA256Hasher.digest(of: body(segment)).bytes, at: entry + 56)
      entry += 88
    }
    let fileID = Identity.file(rootBody: Array(body(root)).rawSpan)
    put(fileID.bytes, at: trailer.offset + SegmentFrame.byteCount + 64)
    resealChecksums()
  }

  mutating func resealChecksums() {
    for (index, segment) in segments.enumerated() {
      let end = index + 1 < segments.count ? segments[index + 1].offset : bytes.count
      let start = segment.offset + SegmentFrame.byteCount
      let checksum = Checksum.of(Array(bytes[start..<end]).rawSpan)
      var writer = WireWriter()
      writer.write(checksum)
      put(writer.bytes, at: segment.offset + 24)
      let frame = Checksum.of(Array(bytes[segment.offset..<segment.offset + 28]).rawSpan)
      writer = WireWriter()
      writer.write(frame)
      put(writer.bytes, at: segment.offset + 28)
    }
  }
}

extension ChainBench {
  /// Changes an image in place and makes its checksums right again.
  func alter(_ name: String, _ change: (inout ResealedImage) -> Void) throws {
    var image = try ResealedImage(folder.bytes(name))
    change(&image)
    image.reseal()
    try folder.write(image.bytes, as: name)
  }
}
