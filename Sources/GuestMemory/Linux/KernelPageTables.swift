internal import CheckpointImage

/// Page tables of x86-64 with four or five levels. Their frames are those of a `PhysicalMemory`.
package struct KernelPageTables: Sendable {
  /// The physical address of the top table.
  package let root: UInt64
  /// Levels of tables: 4 or 5.
  package let levels: Int
  /// Bits of an entry that indicate encryption and are no part of an address.
  let encryption: UInt64

  init(root: UInt64, levels: Int, encryption: UInt64 = 0) {
    self.root = root & Self.addressBits & ~encryption
    self.levels = levels
    self.encryption = encryption
  }

  /// The translation of a virtual address.
  package struct Mapping: Sendable {
    /// The physical address.
    package var physical: UInt64
    /// The number of bytes from there on that the same entry maps; at most 1 GiB.
    package var byteCount: UInt64
    /// Whether all entries on the path allow writing.
    package var isWritable: Bool
    /// Whether all entries on the path allow execution.
    package var isExecutable: Bool
  }

  /// Follows the tables, in at most five steps whatever they contain.
  ///
  /// - Parameter visit: takes the frame of each table on the path.
  /// - Returns: the mapping, nil if there is none or the contents of a table are unknown; and for how many
  ///   bytes from there on the same applies.
  func step(_ virtual: UInt64, _ pages: CachedPages, visit: (PFN) -> Void = { _ in })
    throws(CheckpointError) -> (mapping: Mapping?, reach: UInt64)
  {
    guard isCanonical(virtual) else { return (nil, 1) }
    var table = root
    var mapping = Mapping(physical: 0, byteCount: 0, isWritable: true, isExecutable: true)
    for level in (0..<levels).reversed() {
      visit(table >> 12)
      let shift = UInt64(12 + 9 * level)
      let inside = (UInt64(1) << shift) - 1
      let reach = inside - virtual & inside + 1
      guard let entry = try pages.u64(at: table + (virtual >> shift & 511) * 8),
        entry & Self.present != 0
      else { return (nil, reach) }
      mapping.isWritable = mapping.isWritable && entry & Self.writable != 0
      mapping.isExecutable = mapping.isExecutable && entry & Self.noExecution == 0
      let address = entry & Self.addressBits & ~encryption
      if level == 0 || level < 3 && entry & Self.large != 0 {
        mapping.physical = address & ~inside | virtual & inside
        mapping.byteCount = reach
        return (mapping, reach)
      }
      table = address
    }
    return (nil, 1)
  }

  /// The mapping of a virtual address; nil if there is none, or the contents of a table are unknown.
  func walk(_ virtual: UInt64, _ pages: CachedPages, visit: (PFN) -> Void = { _ in })
    throws(CheckpointError) -> Mapping?
  {
    try step(virtual, pages, visit: visit).mapping
  }

  /// Whether the unused high bits repeat the highest used one, as they must.
  private func isCanonical(_ virtual: UInt64) -> Bool {
    let unused = Int64(64 - 12 - 9 * levels)
    return (Int64(bitPattern: virtual) << unused) >> unused == Int64(bitPattern: virtual)
  }

  private static let addressBits: UInt64 = 0x000f_ffff_ffff_f000
  private static let present: UInt64 = 1
  private static let writable: UInt64 = 1 << 1
  private static let large: UInt64 = 1 << 7
  private static let noExecution: UInt64 = 1 << 63
}
