internal import CheckpointImage

/// A segment as JSON: its body by the fields of the specification. What can be derived from the rest of the
/// image, such as checksums, lengths and offsets, is present only if the file has something else.
package struct SegmentForm: Codable, Sendable {
  var header: HeaderForm?
  var record: RecordForm?
  var region: RegionForm?
  var states: [ExtentForm]?
  var layout: [LayoutForm]?
  var provenance: [FieldForm]?
  var index: IndexForm?
  var root: RootForm?
  var trailer: TrailerForm?
  /// The number of a kind whose body is given as bytes: the kind is unknown, or the body invalid.
  var kind: UInt16?
  var body: Base64Bytes?
  /// Fields of the frame that differ from the derived ones.
  var flags: UInt16?
  var ordinal: UInt64?
  var bodyChecksum: UInt32?
  var padding: HexBytes?
  /// Bytes of the file that are not a segment.
  var bytes: Base64Bytes?

  enum CodingKeys: String, CodingKey {
    case header = "Header"
    case record = "Record"
    case region = "Region"
    case states = "States"
    case layout = "Layout"
    case provenance = "Provenance"
    case index = "Index"
    case root = "Root"
    case trailer = "Trailer"
    case kind = "Kind"
    case body = "Body"
    case flags = "Flags"
    case ordinal = "Ordinal"
    case bodyChecksum = "Body_Checksum"
    case padding = "Padding"
    case bytes = "Bytes"
  }

  init() {}

  /// Bytes that are not a segment.
  init(bytes: [UInt8]) { self.bytes = Base64Bytes(bytes) }

  /// A segment with its body as bytes.
  init(kind: UInt16, body: [UInt8]) {
    self.kind = kind
    self.body = Base64Bytes(body)
  }

  /// A segment with its body by fields; nil if the kind is unknown or the body invalid.
  init?(_ kind: SegmentKind?, _ body: [UInt8], _ sealer: Sealer) {
    do throws(CheckpointError) {
      let bytes = body.rawSpan
      switch kind {
      case .header: header = HeaderForm(try ImageHeader(parsing: bytes, at: 0))
      case .record: record = RecordForm(try MachineRecord(parsing: bytes, at: 0))
      case .region: region = RegionForm(try RegionHeader(parsing: bytes, at: 0), body)
      case .states: states = try StateExtent.parseList(bytes, at: 0).map(ExtentForm.init)
      case .layout: layout = try LayoutItem.parseList(bytes, at: 0).map(LayoutForm.init)
      case .provenance:
        provenance = try Provenance(parsing: bytes, at: 0).fields.map {
          FieldForm(key: $0.key, value: $0.value)
        }
      case .index: index = IndexForm(try IndexBlock(parsing: bytes, at: 0), sealer)
      case .root: root = RootForm(try RootBody(parsing: bytes, at: 0), sealer)
      case .trailer: trailer = TrailerForm(try ImageTrailer(parsing: bytes, at: 0), sealer)
      case nil: return nil
      }
    } catch {
      return nil
    }
  }

  /// The encoded body and its kind.
  func content(_ sealer: Sealer) throws(CheckpointError) -> (kind: UInt16, body: [UInt8]) {
    var found: [(SegmentKind, () throws(CheckpointError) -> [UInt8])] = []
    if let header { found.append((.header, header.body)) }
    if let record { found.append((.record, record.body)) }
    if let region { found.append((.region, region.body)) }
    if let states {
      found.append(
        (
          .states,
          { () throws(CheckpointError) in
            var extents: [StateExtent] = []
            for form in states { extents.append(try form.extent()) }
            return StateExtent.encodeList(extents)
          }
        ))
    }
    if let layout {
      found.append(
        (
          .layout,
          { () throws(CheckpointError) in
            var items: [LayoutItem] = []
            for form in layout { items.append(try form.layoutItem()) }
            return LayoutItem.encodeList(items)
          }
        ))
    }
    if let provenance {
      found.append(
        (
          .provenance,
          {
            var fields = Provenance()
            for field in provenance { fields.add(field.key, field.value) }
            return fields.encoded()
          }
        ))
    }
    if let index {
      found.append((.index, { () throws(CheckpointError) in try index.body(sealer) }))
    }
    if let root { found.append((.root, { () throws(CheckpointError) in try root.body(sealer) })) }
    if let trailer { found.append((.trailer, { trailer.body(sealer) })) }
    if let kind, let body, found.isEmpty { return (kind, body.bytes) }
    guard found.count == 1, kind == nil, body == nil else {
      throw CheckpointError(
        .refused,
        "expected one of Header, Record, Region, States, Layout, Provenance, Index, Root, Trailer, "
          + "or Kind and Body, or Bytes")
    }
    return (found[0].0.rawValue, try found[0].1())
  }

  /// The frame, body and complete bytes of the segment that follows those in `sealer`.
  func segment(_ sealer: Sealer) throws(CheckpointError) -> (
    frame: SegmentFrame, body: [UInt8], bytes: [UInt8]
  ) {
    let (rawKind, body) = try content(sealer)
    let known = SegmentKind(rawValue: rawKind)
    guard body.count <= Limits.maximumBody else {
      throw CheckpointError(
        .refused, "a body of \(body.count) bytes: expected at most \(Limits.maximumBody)")
    }
    // The alignment in a header applies to the header itself.
    let shift = sealer.count == 0 ? try Self.alignment(known, body) : sealer.alignmentShift
    let count = SegmentFrame.padding(
      bodyLength: UInt64(body.count), alignmentShift: shift, rawKind: rawKind)
    let padding = padding?.bytes ?? [UInt8](repeating: 0, count: count)
    guard padding.count == count else {
      throw CheckpointError(.refused, "Padding: found \(padding.count) bytes, expected \(count)")
    }
    var checksum = Checksum()
    checksum.update(body.rawSpan)
    checksum.update(padding.rawSpan)
    let frame = SegmentFrame(
      rawKind: rawKind, flags: flags ?? known.map(SegmentFrame.flags) ?? 0,
      ordinal: ordinal ?? sealer.count, bodyLength: UInt64(body.count),
      bodyChecksum: bodyChecksum ?? checksum.value)
    return (frame, body, frame.encoded() + body + padding)
  }

  private static func alignment(_ kind: SegmentKind?, _ body: [UInt8]) throws(CheckpointError)
    -> UInt8
  {
    guard kind == .header else {
      throw CheckpointError(.refused, "the first segment has to be the Header")
    }
    return try ImageHeader(parsing: body.rawSpan, at: 0).alignmentShift
  }
}
