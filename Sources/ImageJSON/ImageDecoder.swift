internal import CheckpointCodec
package import CheckpointImage
package import Storage
/// The segments of an image as JSON, one after the other; of a damaged or unfinished one too.
///
/// What it gives, `ImageEncoder` makes the same file of: each segment is encoded again and compared, and
/// shown as bytes where it would not come out the same.
package struct ImageDecoder {
  private static let piece: UInt64 = 1 << 20

  private let file: any RangeReader
  private let alignmentShift: UInt8
  private var sealer = Sealer()
  /// From here on the file has no segments.
  private var isLost = false

  /// Opens an image; its header has to be sound.
  package init(_ storage: any RangeReader) throws(CheckpointError) {
    file = ReadAhead(storage, pieces: 4)
    do throws(CheckpointError) {
      alignmentShift = try ImageHeader(in: file).alignmentShift
    } catch {
      throw error.inFile(file.name)
    }
  }

  /// The next segment, or the next bytes that are none; nil at the end of the file.
  package mutating func next() throws(CheckpointError) -> SegmentForm? {
    guard sealer.offset < file.length else { return nil }
    if !isLost, let form = try readSegment() { return form }
    isLost = true
    let count = Int(min(Self.piece, file.length - sealer.offset))
    let form = SegmentForm(bytes: try file.bytes(at: sealer.offset, count: count))
    sealer.skip(count)
    return form
  }

  /// How much of the file was read.
  package var fractionDone: Double? { Double(sealer.offset) / Double(max(1, file.length)) }

  private mutating func readSegment() throws(CheckpointError) -> SegmentForm? {
    let left = file.length - sealer.offset
    guard left >= UInt64(SegmentFrame.byteCount) else { return nil }
    guard
      let place = try? SegmentPlace(in: file, at: sealer.offset, alignmentShift: alignmentShift),
      place.length <= left
    else { return nil }
    let frame = place.frame
    let bytes = try file.bytes(at: sealer.offset, count: Int(place.length))
    let bodyEnd = SegmentFrame.byteCount + Int(frame.bodyLength)
    let body = Array(bytes[SegmentFrame.byteCount..<bodyEnd])
    let form = form(frame, body, Array(bytes[bodyEnd...]), is: bytes)
    guard let form else { return nil }
    sealer.add(frame, body, length: bytes.count)
    return form
  }

  /// The first of the forms that comes out the same.
  private func form(
    _ frame: SegmentFrame, _ body: [UInt8], _ padding: [UInt8], is bytes: [UInt8]
  ) -> SegmentForm? {
    for form in [
      SegmentForm(frame.kind, body, sealer), SegmentForm(kind: frame.rawKind, body: body),
    ] {
      guard var form else { continue }
      if padding.contains(where: { $0 != 0 }) { form.padding = HexBytes(padding) }
      guard let followed = try? form.segment(sealer).frame else { continue }
      if frame.flags != followed.flags { form.flags = frame.flags }
      if frame.ordinal != followed.ordinal { form.ordinal = frame.ordinal }
      if frame.bodyChecksum != followed.bodyChecksum { form.bodyChecksum = frame.bodyChecksum }
      if let encoded = try? form.segment(sealer).bytes, encoded == bytes { return form }
    }
    return nil
  }
}
