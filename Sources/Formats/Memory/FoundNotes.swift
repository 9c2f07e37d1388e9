internal import CheckpointImage

/// The notes of a dump, as it has them.
struct FoundNotes {
  /// A record for each note, in order; what is not understood is one as well.
  private(set) var records: [MachineRecord] = []
  /// What is not understood.
  private(set) var remarks: [SourceRemark] = []

  /// Adds the notes in the bytes at `offset` of a dump.
  mutating func add(_ bytes: [UInt8], at offset: UInt64, alignment: UInt64 = 4)
    throws(CheckpointError)
  {
    let (notes, rest) = DumpNote.all(in: bytes, alignment: alignment)
    records += notes.map(DumpNote.record)
    if !rest.isEmpty {
      records.append(DumpNote.record(Array(rest)))
      let what = CheckpointError(
        .damaged, "\(rest.count) bytes are no notes, and are kept as they are",
        structure: "ELF note", offset: offset + UInt64(rest.startIndex))
      // One says enough: there may be very many segments.
      if remarks.isEmpty { remarks.append(SourceRemark(.warning, what)) }
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
