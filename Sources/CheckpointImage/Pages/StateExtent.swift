/// A run of pages with one status and no stored contents (Spec, "States").
package struct StateExtent: Hashable, Sendable {
  static let byteCount = 24

  /// The first PFN.
  package var pfn: PFN
  /// The number of pages, at least 1.
  package var count: UInt64
  /// State, type and reason of all of them; the state is never data.
  package var status: PageStatus

  /// Makes an extent.
  @inlinable
  package init(pfn: PFN, count: UInt64, status: PageStatus) {
    self.pfn = pfn
    self.count = count
    self.status = status
  }

  /// The extent that is a run of a status.
  @inlinable
  package init(_ run: ValueRun<PageStatus>) {
    self.init(pfn: run.pages.lowerBound, count: UInt64(run.pages.count), status: run.value)
  }

  /// The PFN behind the last page.
  package var end: PFN { pfn + count }

  /// The pages.
  package var pages: Range<PFN> { pfn..<end }

  /// Reads the body of a states segment at `offset`.
  package static func parseList(_ body: RawSpan, at offset: UInt64) throws(CheckpointError)
    -> [StateExtent]
  {
    var reader = WireReader(body, structure: "states", at: offset)
    guard body.byteCount > 0, body.byteCount % byteCount == 0 else {
      throw reader.damaged("length: found \(body.byteCount), expected a multiple of \(byteCount)")
    }
    var extents: [StateExtent] = []
    extents.reserveCapacity(body.byteCount / byteCount)
    while reader.remaining > 0 {
      let pfn: UInt64 = try reader.read()
      let count: UInt64 = try reader.read()
      let rawState: UInt8 = try reader.read()
      let type: UInt8 = try reader.read()
      let rawReason: UInt8 = try reader.read()
      try reader.zeros(5, "reserved")
      guard let state = PageState(rawValue: rawState), state != .data,
        let reason = EvictionReason(rawValue: rawReason),
        PageStatus(state, type: type, reason: reason).isValid
      else { throw reader.damaged("state \(rawState), type \(type), reason \(rawReason)") }
      guard count > 0, pfn < Limits.pfnEnd, count <= Limits.pfnEnd - pfn else {
        throw reader.damaged("extent of \(count) pages at PFN \(pfn)")
      }
      extents.append(
        StateExtent(
          pfn: pfn, count: count, status: PageStatus(state, type: type, reason: reason)))
    }
    return extents
  }

  /// The body of a states segment.
  package static func encodeList(_ extents: [StateExtent]) -> [UInt8] {
    var writer = WireWriter(capacity: extents.count * byteCount)
    for extent in extents {
      writer.write(extent.pfn)
      writer.write(extent.count)
      writer.write(extent.status.state.rawValue)
      writer.write(extent.status.type)
      writer.write(extent.status.reason.rawValue)
      writer.write([0, 0, 0, 0, 0])
    }
    return writer.bytes
  }
}
