internal import CheckpointCodec
package import CheckpointImage

/// Everything before the pages in an ELF core file: header, program headers, notes.
package enum ELFHead {
  static let headerSize = 64
  static let programHeaderSize = 56
  static let sectionHeaderSize = 64
  static let core: UInt16 = 4
  static let x86: UInt16 = 62
  /// The names of other machines.
  static let machines: [UInt16: String] = [
    2: "sparc", 3: "i386", 8: "mips", 20: "powerpc", 21: "powerpc64", 22: "s390", 40: "arm",
    43: "sparc64", 50: "ia64", 183: "arm64", 243: "riscv", 258: "loongarch",
  ]
  static let load: UInt32 = 1
  static let note: UInt32 = 4
  /// This count means that the real one is in the first section header.
  static let manyHeaders: UInt16 = 0xffff

  /// The head of a file with these runs of pages. The pages follow immediately, on a page boundary.
  package static func encoded(runs: [Range<PFN>], notes: [[UInt8]]) -> [UInt8] {
    let count = runs.count + 1
    let isMany = count >= manyHeaders
    let sections = headerSize + programHeaderSize * count
    let notesOffset = sections + (isMany ? sectionHeaderSize : 0)
    let noteBytes = notes.reduce(0) { $0 + $1.count }
    let end = (notesOffset + noteBytes + Limits.pageSize - 1) / Limits.pageSize * Limits.pageSize
    var writer = WireWriter(capacity: end)
    writeHeader(programHeaders: count, sections: isMany ? UInt64(sections) : 0, to: &writer)
    writeProgramHeader(
      note, offset: UInt64(notesOffset), address: 0, size: UInt64(noteBytes), to: &writer)
    var offset = UInt64(end)
    for run in runs {
      let size = UInt64(run.count * Limits.pageSize)
      writeProgramHeader(
        load, offset: offset, address: run.lowerBound << UInt64(Limits.pageShift), size: size,
        to: &writer)
      offset += size
    }
    if isMany {
      writer.write([UInt8](repeating: 0, count: 44))
      writer.write(UInt32(count))
      writer.write([UInt8](repeating: 0, count: 16))
    }
    for note in notes { writer.write(note) }
    writer.write([UInt8](repeating: 0, count: end - writer.bytes.count))
    return writer.bytes
  }

  private static func writeHeader(
    programHeaders: Int, sections: UInt64, to writer: inout WireWriter
  ) {
    // ELF, 64 bits, little-endian, version 1.
    writer.write([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0] + [UInt8](repeating: 0, count: 8))
    writer.write(core)
    writer.write(x86)
    writer.write(UInt32(1))
    writer.write(UInt64(0))
    writer.write(UInt64(headerSize))
    writer.write(sections)
    writer.write(UInt32(0))
    writer.write(UInt16(headerSize))
    writer.write(UInt16(programHeaderSize))
    writer.write(UInt16(min(programHeaders, Int(manyHeaders))))
    writer.write(UInt16(sectionHeaderSize))
    writer.write(UInt16(sections == 0 ? 0 : 1))
    writer.write(UInt16(0))
  }

  private static func writeProgramHeader(
    _ type: UInt32, offset: UInt64, address: UInt64, size: UInt64,
    to writer: inout WireWriter
  ) {
    writer.write(type)
    // Readable, writable, executable; the guest's own permissions are in its page tables.
    writer.write(UInt32(type == load ? 7 : 0))
    writer.write(offset)
    writer.write(UInt64(0))
    writer.write(address)
    writer.write(size)
    writer.write(type == load ? size : 0)
    // As Linux and QEMU write it; crash takes other values for an older kind of dump.
    writer.write(UInt64(0))
  }
}
