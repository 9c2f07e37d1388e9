internal import CheckpointChain
internal import CheckpointCodec
package import CheckpointImage

/// The notes for the dump of a moment.
package enum DumpNotes {
  /// The notes of a dump, as it has them.
  package struct Found {
    /// A record for each note, in order; what is not understood is one as well.
    package private(set) var records: [MachineRecord] = []
    /// What is not understood.
    package var remarks: [SourceRemark] = []

    /// No notes.
    package init() {}

    /// Adds the notes in the bytes at `offset` of a dump.
    package mutating func add(_ bytes: [UInt8], at offset: UInt64, alignment: UInt64 = 4)
      throws(CheckpointError)
    {
      let (notes, rest) = DumpNote.all(in: bytes, alignment: alignment)
      records += notes.map(DumpNote.record)
      if !rest.isEmpty {
        records.append(DumpNote.record(Array(rest)))
        remarks.append(
          SourceRemark(
            .warning,
            CheckpointError(
              .damaged, "\(rest.count) bytes are no notes, and are kept as they are",
              structure: "ELF note", offset: offset + UInt64(rest.startIndex))))
      }
      guard records.count <= Limits.maximumRecords else {
        throw CheckpointError(
          .refused, "more than \(Limits.maximumRecords) notes", structure: "ELF note",
          offset: offset)
      }
    }

    /// Adds a text in which a Linux kernel describes itself, if no note has one.
    mutating func add(vmcoreinfo text: [UInt8]) {
      guard !text.isEmpty, DumpNotes.vmcoreinfo(in: records) == nil else { return }
      records.append(
        DumpNote.record(DumpNote(DumpNote.vmcoreinfo, type: 0, text).encoded()))
    }
  }

  /// The VMCOREINFO text in the records of a machine; nil if there is none.
  package static func vmcoreinfo(in records: [MachineRecord]) -> [UInt8]? {
    notes(in: records).first { $0.name == DumpNote.vmcoreinfo }?.contents
  }

  /// The notes stored in the records of a machine, as far as they are understood.
  static func notes(in records: [MachineRecord]) -> [DumpNote] {
    records.compactMap { record in
      guard record.key.namespace == .dumpNote, let payload = record.payload else { return nil }
      return try? DumpNote(payload)
    }
  }

  /// Whether a note is one of an x86-64 machine: registers of that size, or a kernel's text with the physical base that
  /// only this architecture has.
  static func areOfX86(_ records: [MachineRecord]) -> Bool {
    notes(in: records).contains { note in
      if note.name == DumpNote.vmcoreinfo {
        return note.contents.firstRange(of: Array("NUMBER(phys_base)".utf8)) != nil
      }
      return VCPU.isStatus(note)
    }
  }

  /// The stored notes, if there are any that are understood; else one note for each processor in the records, and one
  /// with `vmcoreinfo`.
  package static func encoded(for records: [MachineRecord], vmcoreinfo: [UInt8]?)
    throws(CheckpointError)
    -> [[UInt8]]
  {
    var encoded = records.filter { $0.key.namespace == .dumpNote }.compactMap(\.payload)
      .filter { (try? DumpNote($0)) != nil }
    if encoded.isEmpty {
      let processors = try VCPU.all(in: records)
      encoded =
        (processors.map(\.statusNote) + processors.map(\.emulatorNote)).map { $0.encoded() }
    }
    if let vmcoreinfo {
      encoded.removeAll { (try? DumpNote($0))?.name == DumpNote.vmcoreinfo }
      encoded.append(DumpNote(DumpNote.vmcoreinfo, type: 0, vmcoreinfo).encoded())
    }
    return encoded
  }
}
