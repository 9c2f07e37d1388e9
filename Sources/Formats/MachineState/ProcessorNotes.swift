internal import CheckpointCodec
internal import CheckpointImage

/// A processor's registers as notes of a dump: Linux's `elf_prstatus`, and QEMU's `QEMUCPUState`, which also
/// has the control registers.
extension VCPU {
  private static let statusOrder = [
    "r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8", "rax", "rcx", "rdx",
    "rsi", "rdi", "orig_rax", "rip", "cs", "rflags", "rsp", "ss", "fs_base", "gs_base", "ds", "es",
    "fs", "gs",
  ]
  private static let statusSize = 336
  private static let registersOffset = 112

  private static let emulatorName = "QEMU"
  private static let emulatorSize = 440
  private static let emulatorGeneral =
    ["rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rsp", "rbp"] + (8...15).map { "r\($0)" }
    + ["rip", "rflags"]
  private static let emulatorSegments = ["cs", "ds", "es", "fs", "gs", "ss", "ldtr", "tr"]

  /// The value of a register, or of the part that a 32-bit guest has; 0 if it is not known.
  private func value(_ name: String) -> UInt64 {
    if let register = (general + control + system).first(where: { $0.name == name }) {
      return register.value
    }
    if let segment = segments.first(where: { $0.name == name }) { return segment.selector }
    if name.hasSuffix("_base"),
      let base = segments.first(where: { $0.name + "_base" == name })?.base
    {
      return base
    }
    let narrow = "e" + name.dropFirst()
    return general.first { $0.name == narrow }?.value ?? 0
  }

  /// The `NT_PRSTATUS` note, which every reader of dumps knows.
  var statusNote: DumpNote {
    var writer = WireWriter(capacity: Self.statusSize)
    writer.write([UInt8](repeating: 0, count: 32))
    // Readers use it as a thread number, and 0 would mean none.
    writer.write(UInt32(truncatingIfNeeded: id &+ 1))
    writer.write([UInt8](repeating: 0, count: Self.registersOffset - 36))
    for name in Self.statusOrder { writer.write(value(name)) }
    writer.write(UInt64(0))
    return DumpNote("CORE", type: DumpNote.processorStatus, writer.bytes)
  }

  /// QEMU's note, with the control registers.
  var emulatorNote: DumpNote {
    var writer = WireWriter(capacity: Self.emulatorSize)
    writer.write(UInt32(1))
    writer.write(UInt32(Self.emulatorSize))
    for name in Self.emulatorGeneral { writer.write(value(name)) }
    for name in Self.emulatorSegments {
      let segment = segments.first { $0.name == name }
      writer.write(UInt32(truncatingIfNeeded: segment?.selector ?? 0))
      writer.write(UInt32(truncatingIfNeeded: segment?.limit ?? 0))
      writer.write(UInt32(truncatingIfNeeded: Self.descriptor(rights: segment?.attributes ?? 0)))
      writer.write(UInt32(0))
      writer.write(segment?.base ?? 0)
    }
    for name in ["gdtr", "idtr"] {
      writer.write(UInt32(0))
      writer.write(UInt32(truncatingIfNeeded: table(name + "_limit")))
      writer.write(UInt64(0))
      writer.write(table(name + "_base"))
    }
    for number in 0..<5 { writer.write(value("cr\(number)")) }
    writer.write(value("shadow_gs"))
    return DumpNote(Self.emulatorName, type: 0, writer.bytes)
  }

  /// Converts access rights between the twelve bits that Xen packs them into and their places in a segment
  /// descriptor.
  private static func descriptor(rights: UInt64) -> UInt64 {
    (rights & 0xff) << 8 | (rights >> 8 & 0xf) << 20
  }

  private static func rights(descriptor: UInt64) -> UInt64 {
    descriptor >> 8 & 0xff | (descriptor >> 20 & 0xf) << 8
  }

  private func table(_ name: String) -> UInt64 { tables.first { $0.name == name }?.value ?? 0 }

  /// Whether a note has the registers of an x86-64 processor.
  static func isStatus(_ note: DumpNote) -> Bool {
    note.name == "CORE" && note.type == DumpNote.processorStatus
      && note.contents.count == statusSize
  }

  /// The processors described by the notes of a dump, numbered in order.
  static func all(inNotes notes: [DumpNote]) throws(CheckpointError) -> [VCPU] {
    var processors: [VCPU] = []
    for note in notes where isStatus(note) {
      processors.append(try VCPU(status: note.contents, id: UInt64(processors.count)))
    }
    var number = 0
    for note in notes where note.name == emulatorName && note.contents.count >= emulatorSize {
      let more = try VCPU(emulator: note.contents, id: UInt64(number))
      if number < processors.count { processors[number] = more } else { processors.append(more) }
      number += 1
    }
    return processors
  }

  private init(status contents: [UInt8], id: UInt64) throws(CheckpointError) {
    self = try WireReader.read(contents, "NT_PRSTATUS") { (reader) throws(CheckpointError) in
      var vcpu = VCPU(id: id)
      var values: [String: UInt64] = [:]
      try reader.skip(Self.registersOffset)
      for name in Self.statusOrder { values[name] = try reader.read() }
      vcpu.general = Self.inOrder(values.map { ($0.key, $0.value) })
      for name in ["cs", "ds", "es", "fs", "gs", "ss"] {
        vcpu.segments.append(
          Segment(name: name, selector: values[name] ?? 0, base: values[name + "_base"]))
      }
      return vcpu
    }
  }

  private init(emulator contents: [UInt8], id: UInt64) throws(CheckpointError) {
    self = try WireReader.read(contents, "QEMU note") { (reader) throws(CheckpointError) in
      var vcpu = VCPU(id: id)
      try reader.skip(8)
      var general: [Register] = []
      for name in Self.emulatorGeneral { general.append((name, try reader.read())) }
      vcpu.general = Self.inOrder(general)
      for name in Self.emulatorSegments {
        let selector = UInt64(try reader.read(UInt32.self))
        let limit = UInt64(try reader.read(UInt32.self))
        let attributes = Self.rights(descriptor: UInt64(try reader.read(UInt32.self)))
        try reader.skip(4)
        vcpu.segments.append(
          Segment(
            name: name, selector: selector, base: try reader.read(), limit: limit,
            attributes: attributes))
      }
      for name in ["gdtr", "idtr"] {
        try reader.skip(4)
        let limit = UInt64(try reader.read(UInt32.self))
        try reader.skip(8)
        vcpu.tables.append((name + "_base", try reader.read()))
        vcpu.tables.append((name + "_limit", limit))
      }
      for number in 0..<5 {
        let value: UInt64 = try reader.read()
        if number != 1 { vcpu.control.append(("cr\(number)", value)) }
      }
      vcpu.system.append(("shadow_gs", try reader.read()))
      return vcpu
    }
  }
}
