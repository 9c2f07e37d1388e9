internal import CheckpointCodec
package import CheckpointImage
package import Storage

/// Decodes an image into JSON, segment by segment, even if it is damaged or unfinished.
/// `ImageEncoder` restores the same file from the result: each segment is encoded again and compared, and
/// represented by its bytes where the result would differ.
package struct ImageDecoder {
  private static let piece: UInt64 = 1 << 20

  private let file: any RangeReader
  private let alignmentShift: UInt8
  private var sealer = Sealer()
  /// Whether no more segments follow in the file.
  private var isLost = false

  /// Opens an image, whose header must be valid.
  package init(_ storage: any RangeReader) throws(CheckpointError) {
    file = ReadAhead(storage, pieces: 4)
    do throws(CheckpointError) {
      alignmentShift = try ImageHeader(in: file).alignmentShift
    } catch {
      throw error.inFile(file.name)
    }
  }

  /// The next segment, or bytes between segments; nil at the end of the file.
  package mutating func next() throws(CheckpointError) -> SegmentForm? {
    guard sealer.offset < file.length else { return nil }
    if !isLost, let form = try readSegment() { return form }
    isLost = true
    let count = Int(min(Self.piece, file.length - sealer.offset))
    let form = SegmentForm(bytes: try file.bytes(at: sealer.offset, count: count))
    sealer.skip(count)
    return form
  }

  /// The fraction of the file that was read.
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

  /// The first representation that encodes to the same bytes.
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
