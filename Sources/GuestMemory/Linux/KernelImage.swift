internal import CMemmem
internal import CheckpointImage

/// The kernel's own image as page tables map it: code, constants and variables, without anything loaded or
/// allocated later.
struct KernelImage {
  /// A contiguous part of the image with the same permissions.
  struct Extent {
    var virtual: UInt64
    var physical: UInt64
    var byteCount: Int
    var isWritable: Bool
    var isExecutable: Bool
  }

  /// The most bytes of the image that are read.
  static let most = 128 << 20
  /// The most entries that are followed: tables may lead nowhere at every step.
  private static let mostSteps = 1 << 16

  private(set) var extents: [Extent] = []

  /// Follows the tables in the 1 GiB that can contain the image.
  init(_ tables: KernelPageTables, _ pages: CachedPages) throws(CheckpointError) {
    var offset: UInt64 = 0
    var left = Self.most
    var steps = 0
    while offset < 1 << 30, left > 0, steps < Self.mostSteps {
      steps += 1
      let virtual = LinuxGuest.imageBase + offset
      // Without an entry in a high table, the reach exceeds what the image can have.
      let (mapping, reach) = try tables.step(virtual, pages)
      if let mapping {
        let count = min(Int(mapping.byteCount), left)
        left -= count
        add(
          Extent(
            virtual: virtual, physical: mapping.physical, byteCount: count,
            isWritable: mapping.isWritable, isExecutable: mapping.isExecutable))
      }
      offset += reach
    }
  }

  private mutating func add(_ next: Extent) {
    if let last = extents.last, last.virtual + UInt64(last.byteCount) == next.virtual,
      last.physical + UInt64(last.byteCount) == next.physical, last.isWritable == next.isWritable,
      last.isExecutable == next.isExecutable
    {
      extents[extents.count - 1].byteCount += next.byteCount
    } else {
      extents.append(next)
    }
  }

  /// Searches the image, first in constants, which contain most of what is looked for.
  ///
  /// - Parameter accept: takes the virtual address of a match; false continues the search.
  func search(
    _ pattern: [UInt8], _ pages: CachedPages,
    accept: (UInt64) throws(CheckpointError) -> Bool
  ) throws(CheckpointError) {
    let constants = extents.filter { !$0.isWritable && !$0.isExecutable }
    let others = extents.filter { $0.isWritable || $0.isExecutable }
    for extent in constants + others {
      // A match may cross the border between two parts.
      for start in stride(from: 0, to: extent.byteCount, by: Self.part) {
        let part = try bytes(extent, from: start, pages, more: pattern.count - 1)
        var place = 0
        while let match = Self.first(pattern, in: part, from: place) {
          if try accept(extent.virtual + UInt64(start + match)) { return }
          place = match + 1
        }
      }
    }
  }

  /// The distinct words of variables that may point to pages elsewhere in kernel memory.
  func pagePointers(_ pages: CachedPages) throws(CheckpointError) -> Set<UInt64> {
    var found: Set<UInt64> = []
    for extent in extents where extent.isWritable && !extent.isExecutable {
      for start in stride(from: 0, to: extent.byteCount, by: Self.part) {
        let part = try bytes(extent, from: start, pages)
        for place in stride(from: 0, to: part.count - 7, by: 8) {
          let word = part.u64(place)
          guard word % UInt64(Limits.pageSize) == 0, word >= Self.kernelHalf,
            word < LinuxGuest.imageBase
          else { continue }
          found.insert(word)
          guard found.count < Self.mostPointers else { return found }
        }
      }
    }
    return found
  }

  /// Whether the kernel's variables are mapped. They are not in the tables of processes if the kernel hides its
  /// memory from them.
  var hasVariables: Bool { extents.contains { $0.isWritable && !$0.isExecutable } }

  /// Bytes per read.
  private static let part = 1 << 20
  /// A limit; a kernel has some thousands.
  private static let mostPointers = 1 << 16
  /// Lower addresses belong to processes, with four or five levels of tables.
  private static let kernelHalf: UInt64 = 0xff00_0000_0000_0000

  private func bytes(_ extent: Extent, from start: Int, _ pages: CachedPages, more: Int = 0)
    throws(CheckpointError) -> [UInt8]
  {
    let count = min(extent.byteCount - start, Self.part + more)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    _ = try pages.appendRun(count, at: extent.physical + UInt64(start), to: &bytes, zeros: true)
    return bytes
  }

  private static func first(_ pattern: [UInt8], in bytes: [UInt8], from place: Int) -> Int? {
    // SAFETY: memmem reads only these bytes, since callers pass a `place` within them.
    unsafe bytes.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress,
        let match = unsafe memmem(base + place, bytes.count - place, pattern, pattern.count)
      else { return nil }
      return unsafe UnsafeRawPointer(match) - base
    }
  }
}
