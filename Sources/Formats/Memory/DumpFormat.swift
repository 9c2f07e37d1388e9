/// The formats of crash dumps.
package enum DumpFormat: String, CaseIterable, Sendable {
  /// An ELF core file of the physical memory.
  case elf
  /// A kdump-compressed dump, as makedumpfile writes it: each page is compressed.
  case kdump
  /// A memory image of LiME.
  case lime

  /// Whether it has notes about the guest besides its memory.
  package var hasNotes: Bool { self != .lime }
}
