/// The entries that an image has for the 512 pages of one block (Spec, "Index block").
package struct IndexBlock: Hashable, Sendable {
  /// The block.
  package var number: BlockNumber
  /// Which pages this image has an entry for.
  package private(set) var occupancy = PageSet()
  /// One entry for each member of `occupancy`, ascending.
  package private(set) var entries: [PageEntry] = []

  /// A block without entries.
  package init(number: BlockNumber) { self.number = number }

  /// Adds the entry of a page; pages must be added in ascending order.
  package mutating func append(_ entry: PageEntry, slot: Int) {
    occupancy[slot] = true
    entries.append(entry)
  }

  /// The entry of a page; nil if the image has none.
  package func entry(slot: Int) -> PageEntry? {
    occupancy[slot] ? entries[occupancy.rank(of: slot)] : nil
  }

  private static let fixedSize = 80

  /// Reads and checks the body of an index segment at `offset`.
  package init(parsing body: RawSpan, at offset: UInt64) throws(CheckpointError) {
    var reader = WireReader(body, structure: "index block", at: offset)
    number = try BlockNumber(parsing: &reader)
    let entryCount = Int(try reader.read(UInt16.self))
    let dataCount = Int(try reader.read(UInt16.self))
    let runCount = Int(try reader.read(UInt16.self))
    let evictedCount = Int(try reader.read(UInt16.self))
    occupancy = try PageSet(parsing: &reader)
    try reader.expect("entries", entryCount, occupancy.count)
    try reader.expect("entries", entryCount, in: 1...Limits.blockPages)
    try reader.expect("runs", runCount, in: 0...dataCount)

    entries.reserveCapacity(entryCount)
    for _ in 0..<entryCount {
      let packed: UInt8 = try reader.read()
      guard let state = PageState(rawValue: packed & 15), state != .unchanged else {
        throw reader.damaged("state: found \(packed & 15), expected 0 to 7, not 3")
      }
      entries.append(PageEntry(PageStatus(state, type: packed >> 4)))
    }
    try reader.padding()
    try parseEvictions(&reader, count: evictedCount)
    for entry in entries where !entry.status.isValid {
      throw reader.damaged("a page in state \(entry.status.state) with type \(entry.status.type)")
    }
    try parseContents(&reader, count: dataCount, runCount: runCount)
    try reader.end()
  }

  private mutating func parseEvictions(_ reader: inout WireReader, count: Int)
    throws(CheckpointError)
  {
    let evicted = entries.indices.filter { entries[$0].status.state == .evicted }
    try reader.expect("evicted pages", count, evicted.count)
    guard count > 0 else { return }
    let bitmap = try PageSet(parsing: &reader)
    let members = occupancy.members
    try reader.expect("eviction bitmap", bitmap.members, evicted.map { members[$0] })
    for index in evicted {
      let raw: UInt8 = try reader.read()
      guard let reason = EvictionReason(rawValue: raw), reason != .none else {
        throw reader.damaged("eviction reason: found \(raw), expected 1 to 6")
      }
      entries[index].status.reason = reason
    }
    try reader.padding()
  }

  private mutating func parseContents(_ reader: inout WireReader, count: Int, runCount: Int)
    throws(CheckpointError)
  {
    let data = entries.indices.filter { entries[$0].status.state == .data }
    try reader.expect("data pages", count, data.count)
    var next = 0
    for _ in 0..<runCount {
      let offset: UInt64 = try reader.read()
      let length: UInt32 = try reader.read()
      let slot: UInt8 = try reader.read()
      try reader.expect("location kind", try reader.read(UInt8.self), 0)
      let pages = Int(try reader.read(UInt16.self))
      guard pages > 0, pages <= data.count - next,
        Int(slot) + pages <= Limits.maximumRegionPages
      else { throw reader.damaged("run of \(pages) pages from slot \(slot)") }
      if next > 0, entries[data[next - 1]].location.precedes(offset: offset, slot: slot) {
        throw reader.damaged("two runs that must be one, at slot \(slot)")
      }
      for page in 0..<pages {
        entries[data[next]].location = PageLocation(
          offset: offset, length: length, slot: slot + UInt8(page))
        next += 1
      }
    }
    try reader.expect("pages in runs", next, data.count)
    for index in data {
      let digest = try reader.readDigest()
      guard digest != .ofZeroPage else {
        throw reader.damaged("a page of zeros whose state is data")
      }
      entries[index].digest = digest
    }
  }

  /// The body of an index segment.
  package func encoded() -> [UInt8] {
    var writer = WireWriter(capacity: Self.fixedSize + entries.count * 40)
    let data = entries.filter { $0.status.state == .data }
    let evicted = entries.filter { $0.status.state == .evicted }
    let runs = Self.runs(data)
    writer.write(number.value)
    writer.write(UInt16(entries.count))
    writer.write(UInt16(data.count))
    writer.write(UInt16(runs.count))
    writer.write(UInt16(evicted.count))
    occupancy.encode(into: &writer)
    for entry in entries { writer.write(entry.status.packed) }
    writer.pad()
    if !evicted.isEmpty {
      var bitmap = PageSet()
      for (slot, entry) in zip(occupancy.members, entries) where entry.status.state == .evicted {
        bitmap[slot] = true
      }
      bitmap.encode(into: &writer)
      for entry in evicted { writer.write(entry.status.reason.rawValue) }
      writer.pad()
    }
    for run in runs {
      writer.write(run.location.offset)
      writer.write(run.location.length)
      writer.write(run.location.slot)
      writer.write(UInt8(0))
      writer.write(UInt16(run.count))
    }
    for entry in data { writer.write(entry.digest) }
    return writer.bytes
  }

  private static func runs(_ data: [PageEntry]) -> [(location: PageLocation, count: Int)] {
    var runs: [(location: PageLocation, count: Int)] = []
    var previous: PageLocation?
    for entry in data {
      let location = entry.location
      if let previous, previous.precedes(offset: location.offset, slot: location.slot) {
        runs[runs.count - 1].count += 1
      } else {
        runs.append((location, 1))
      }
      previous = location
    }
    return runs
  }
}
