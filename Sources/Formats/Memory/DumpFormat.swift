/// The formats of crash dumps.
package enum DumpFormat: String, CaseIterable, Sendable {
  /// An ELF core file of the physical memory.
  case elf
  /// A dump of makedumpfile's kind, each page compressed.
  case kdump
  /// A memory image of LiME.
  case lime

  /// Whether it says more of the guest than its memory.
  package var hasNotes: Bool { self != .lime }
}
