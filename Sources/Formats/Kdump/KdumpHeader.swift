internal import CheckpointCodec
package import CheckpointImage

/// The fixed blocks at the start of a kdump-compressed file, header version 6.
///
/// A block has the size of a page. Header, sub-header with notes, bitmap of the machine's pages, bitmap of the
/// pages in the file, a descriptor for each of these, then their contents.
package struct KdumpHeader {
  static let signature: [UInt8] = Array("KDUMP   ".utf8)
  /// The first bytes of the variant that can be written to a pipe.
  static let flattened: [UInt8] = Array("makedumpfile".utf8)
  static let version: UInt32 = 6
  static let subHeaderSize = 104
  static let descriptorSize = 24
  /// A flag in the header's status: makedumpfile could not write all of it.
  static let incomplete: UInt32 = 8
  /// How a page is compressed, as a flag in its descriptor.
  static let zlib: UInt32 = 1
  static let zstd: UInt32 = 32

  /// One past the last page of the machine.
  var limit: PFN
  /// The number of pages in the file.
  var dumped: UInt64
  /// The number of processors.
  var processors: Int
  /// The physical address of the kernel's image, less the one it was linked for.
  var physicalBase: UInt64
  /// The dump level: what was left out by makedumpfile's rules.
  var level: UInt32
  /// The kernel's release, and below its build string. Neither is ever empty: libkdumpfile ignores a header
  /// without them, and then knows neither the machine nor its registers.
  var release: [UInt8]
  var build: [UInt8]
  /// The flag of the codec, or 0.
  var status: UInt32
  /// The encoded notes, concatenated.
  var notes: [UInt8]
  /// The place of the VMCOREINFO text in `notes`.
  var vmcoreinfo: Range<Int>

  /// The header of a file with the known pages of a moment.
  package init(of pages: DumpPages, _ records: [MachineRecord], _ options: DumpOptions)
    throws(CheckpointError)
  {
    limit = pages.populated.last?.upperBound ?? 0
    guard limit <= Self.longest else {
      throw CheckpointError(
        .refused, "PFN \(limit - 1) needs bitmaps of \(limit / 4) bytes", hint: .exportELF)
    }
    dumped = pages.known.reduce(0) { $0 + UInt64($1.count) }
    processors = max(1, try VCPU.all(in: records).count)
    physicalBase = UInt64(bitPattern: options.physicalBase)
    level = UInt32(options.level)
    release = Array((options.release.isEmpty ? Self.unknown : options.release).utf8)
    build = Array((options.build.isEmpty ? Self.unknown : options.build).utf8)
    status = options.codec.codec.kdumpFlag
    notes = []
    vmcoreinfo = 0..<0
    for note in try DumpNotes.encoded(for: records, vmcoreinfo: options.vmcoreinfo) {
      notes += note
      let contents = try DumpNote(note)
      if contents.name == DumpNote.vmcoreinfo, vmcoreinfo.isEmpty {
        let padding = (4 - contents.contents.count % 4) % 4
        let end = notes.count - padding
        vmcoreinfo = end - contents.contents.count..<end
      }
    }
  }

  /// The most pages: 16 TiB of memory, with bitmaps of 512 MiB.
  private static let longest: PFN = 1 << 32
  private static let block = Limits.pageSize
  private static let unknown = "unknown"

  /// Blocks that the sub-header and the notes take.
  var subHeaderBlocks: Int { (Self.subHeaderSize + notes.count + Self.block - 1) / Self.block }
  /// Blocks that one bitmap takes.
  var bitmapBlocks: Int {
    (Int(limit) + 8 * Self.block - 1) / (8 * Self.block)
  }
  /// The offset of the first bitmap.
  var bitmapOffset: UInt64 { UInt64((1 + subHeaderBlocks) * Self.block) }
  /// The offset of the descriptors.
  var descriptorsOffset: UInt64 { bitmapOffset + UInt64(2 * bitmapBlocks * Self.block) }
  /// The offset of the contents of pages.
  var dataOffset: UInt64 { descriptorsOffset + dumped * UInt64(Self.descriptorSize) }

  /// Header, sub-header and notes, up to the bitmaps.
  func encoded() -> [UInt8] {
    var writer = WireWriter(capacity: Int(bitmapOffset))
    func pad(to end: Int) {
      writer.write([UInt8](repeating: 0, count: max(0, end - writer.bytes.count)))
    }
    writer.write(Self.signature)
    writer.write(Self.version)
    // struct utsname: system, node, release, version, machine, domain, of 65 bytes each.
    let names = [Array("Linux".utf8), [], release, build, Array("x86_64".utf8), []]
    for (place, name) in names.enumerated() {
      writer.write(Array(name.prefix(64)))
      pad(to: 12 + 65 * (place + 1))
    }
    pad(to: 424)
    writer.write(status)
    writer.write(UInt32(Self.block))
    writer.write(UInt32(subHeaderBlocks))
    writer.write(UInt32(2 * bitmapBlocks))
    writer.write(UInt32(clamping: limit))
    writer.write(UInt32(0))
    writer.write(UInt32(0))
    writer.write(UInt32(clamping: dumped))
    writer.write(UInt32(0))
    writer.write(UInt32(processors))
    pad(to: Self.block)
    writeSubHeader(to: &writer)
    writer.write(notes)
    pad(to: Int(bitmapOffset))
    return writer.bytes
  }

  private func writeSubHeader(to writer: inout WireWriter) {
    let notesOffset = UInt64(Self.block + Self.subHeaderSize)
    writer.write(physicalBase)
    writer.write(level)
    // The dump is not split into several files.
    writer.write(UInt32(0))
    writer.write(UInt64(0))
    writer.write(UInt64(0))
    writer.write(vmcoreinfo.isEmpty ? 0 : notesOffset + UInt64(vmcoreinfo.lowerBound))
    writer.write(UInt64(vmcoreinfo.count))
    writer.write(notes.isEmpty ? 0 : notesOffset)
    writer.write(UInt64(notes.count))
    // No information about erased data.
    for _ in 0..<4 { writer.write(UInt64(0)) }
    writer.write(limit)
  }
}
