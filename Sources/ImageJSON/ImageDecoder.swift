internal import CheckpointCodec
package import CheckpointImage
package import Storage
/// The segments of an image as JSON, one after the other; of a damaged or unfinished one too.
///
/// What it gives, `ImageEncoder` makes the same file of: each segment is encoded again and compared, and
/// shown as bytes where it would not come out the same.
package struct ImageDecoder {
  private static let piece: UInt64 = 1 << 20

  private let file: InputFile
  private let alignmentShift: UInt8
  private var seal = Seal()
  /// From here on the file has no segments.
  private var isLost = false

  /// Opens an image; its header has to be sound.
  package init(_ file: InputFile) throws(CheckpointError) {
    self.file = file
    do throws(CheckpointError) {
      alignmentShift = try ImageFile.readHeader(file).alignmentShift
    } catch {
      throw error.inFile(file.name)
    }
  }

  /// The next segment, or the next bytes that are none; nil at the end of the file.
  package mutating func next() throws(CheckpointError) -> SegmentForm? {
    try Interruption.check()
    guard seal.offset < file.length else { return nil }
    if !isLost, let form = try readSegment() { return form }
    isLost = true
    let count = Int(min(Self.piece, file.length - seal.offset))
    let form = SegmentForm(bytes: try file.bytes(at: seal.offset, count: count))
    seal.skip(count)
    return form
  }

  /// How much of the file was read.
  package var fractionDone: Double? { Double(seal.offset) / Double(max(1, file.length)) }

  private mutating func readSegment() throws(CheckpointError) -> SegmentForm? {
    let left = file.length - seal.offset
    guard left >= UInt64(SegmentFrame.byteCount) else { return nil }
    let start = try file.bytes(at: seal.offset, count: SegmentFrame.byteCount)
    guard let frame = unsafe try? SegmentFrame(parsing: start.span.bytes, at: seal.offset) else {
      return nil
    }
    let padding = SegmentFrame.padding(
      bodyLength: frame.bodyLength, alignmentShift: alignmentShift, rawKind: frame.rawKind)
    let length = UInt64(SegmentFrame.byteCount) + frame.bodyLength + UInt64(padding)
    guard length <= left else { return nil }
    let bytes = try file.bytes(at: seal.offset, count: Int(length))
    let bodyEnd = SegmentFrame.byteCount + Int(frame.bodyLength)
    let body = Array(bytes[SegmentFrame.byteCount..<bodyEnd])
    let form = form(frame, body, Array(bytes[bodyEnd...]), is: bytes)
    guard let form else { return nil }
    seal.add(frame, body, length: Int(length))
    return form
  }

  /// The first of the forms that comes out the same.
  private func form(
    _ frame: SegmentFrame, _ body: [UInt8], _ padding: [UInt8], is bytes: [UInt8]
  ) -> SegmentForm? {
    for form in [
      SegmentForm(frame.kind, body, seal), SegmentForm(kind: frame.rawKind, body: body),
    ] {
      guard var form else { continue }
      if padding.contains(where: { $0 != 0 }) { form.padding = HexBytes(padding) }
      guard let followed = try? form.segment(seal).frame else { continue }
      if frame.flags != followed.flags { form.flags = frame.flags }
      if frame.ordinal != followed.ordinal { form.ordinal = frame.ordinal }
      if frame.bodyChecksum != followed.bodyChecksum { form.bodyChecksum = frame.bodyChecksum }
      if let encoded = try? form.segment(seal).bytes, encoded == bytes { return form }
    }
    return nil
  }
}
