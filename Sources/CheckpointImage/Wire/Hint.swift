/// What may help after an error. A library knows no options: the program that shows the error phrases it.
public enum Hint: Hashable, Sendable {
  /// Something has the output's name: it can be replaced if that is wanted.
  case replaceExisting
  /// Ancestors can be looked for in further folders.
  case searchElsewhere
  /// The input can be taken as plain memory, byte for byte.
  case takeAsRawMemory
  /// No guest can go on from it, but its memory can be exported for analysis.
  case exportMemory
  /// The memory can be exported as an ELF file, which is written from its beginning to its end.
  case exportELF
  /// The device model's state can be exported to a XenServer image, or left out of a libxc stream.
  case exportXenServer
  /// A domain's configuration can be given.
  case giveConfiguration
  /// A name for the domain can be given.
  case giveName
  /// The image that was left unfinished can be salvaged; of a stream in which pages come several times, only the
  /// records can be trusted.
  case salvage(file: String, pages: Bool)
  /// What came of a stream that broke off can be kept for analysis, although later copies of its pages may be missing.
  case keepUncertain
  /// Images of several moments can be numbered by a pattern.
  case numberImages
  /// Pages can be left out afterwards, when images are merged.
  case evictWhenMerging
  /// The input is a checkpoint image, which can be merged and restored as it is.
  case useImage
  /// The program that captures reads such a dump.
  case captureKdump
  /// Another tool makes a file of it that can be read: the command.
  case convert(command: String)
  /// The tool that made it can export the memory in it.
  case exportWithItsTool
  /// It can be analysed as it is.
  case useVolatility
  /// Of the guest itself a dump can be made: this file's layout is known to QEMU only.
  case dumpWithVirsh
  /// The guest's memory can be read without the guest's help.
  case captureMemoryOnly
  /// The whole memory can be copied while the guest is paused.
  case capturePaused
  /// A running domain can be captured itself, in place of a dump of it.
  case captureDomain
  /// A size to which the guest is squeezed can be given.
  case giveSqueezeSize
  /// The guest cannot be squeezed; it can be captured as it is.
  case captureUnsqueezed
  /// The disks must be as they were at the moment of the checkpoint; a clone only reads them.
  case restoreDisks(snapshot: String?)
  /// The domain that is in the way can be destroyed, or a clone be made beside it.
  case destroyOrClone(domain: String)
}
