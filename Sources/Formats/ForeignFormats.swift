internal import CheckpointImage

/// Files of other kinds that people take for a dump of a machine's memory, by their first bytes, and what to do with
/// them. Sources: the `magic` files of file(1), the documentation of each tool.
enum ForeignFormats {
  static let rows: [FormatTable.Row] =
    [
      row("PAGEDU64", "is a crash dump of 64-bit Windows", .useVolatility),
      row("PAGEDUMP", "is a crash dump of 32-bit Windows", .useVolatility),
      row("MDMP", "is a minidump of a Windows program"),
      row("hibr", "is a hibernation file of Windows", .useVolatility),
      row("HIBR", "is a hibernation file of Windows", .useVolatility),
      row("wake", "is a hibernation file of Windows that was resumed from"),
      row("WAKE", "is a hibernation file of Windows that was resumed from"),
      row("ZDMP", "is a compressed crash dump of Windows, made by DumpIt"),
      row(
        "AVML", "is a compressed memory image of AVML", .convert(command: "avml-convert it FILE")),
      row("QEVM", "is a migration stream of QEMU, whose layout only QEMU knows", .dumpWithVirsh),
      row("LibvirtQemudSave", "is a file of virsh save of a QEMU guest", .dumpWithVirsh),
      row(
        "LibvirtQemudPart", "is an unfinished file of virsh save of a QEMU guest", .dumpWithVirsh),
      row("conectix", "is a VHD", disk("vpc")),
      row("vhdxfile", "is a VHDX", disk("vhdx")),
      row("QFI\u{fb}", "is a qcow2 image", disk("qcow2")),
      row([0x7f, 0x10, 0xda, 0xbe], at: 64, "is a VDI of VirtualBox", disk("vdi")),
      row("KDMV", "is a VMDK", disk("vmdk")),
      row("# Disk DescriptorFile", "is the description of a VMDK", disk("vmdk")),
      row("VMA\0", "is a backup archive of Proxmox", .convert(command: "vma extract it FOLDER")),
      row("EVF\t\r\n\u{ff}\0", "is an EWF image (E01)", .convert(command: "ewfexport -f raw it")),
      row("EVF2\r\n\u{81}\0", "is an EWF image (Ex01)", .convert(command: "ewfexport -f raw it")),
      row("AFF10\r\n\0", "is an AFF image", .convert(command: "affcat it > FILE")),
      row(Array("container.description".utf8), at: 30, "is an AFF4 container", .exportWithItsTool),
      row(
        "\u{7f}VirtualBox SavedState", "is the saved state of a VirtualBox machine", .useVolatility),
      row("DISKDUMP", "is a dump of diskdump or of a makedumpfile before 1.0"),
      row([0xed, 0x23, 0x8f, 0x61, 0x73, 0x01, 0x19, 0xa8], "is a dump of LKCD"),
      row("LUKS\u{ba}\u{be}", "is an encrypted volume (LUKS)"),
    ]
    + [
      [0xd0, 0xbe, 0xd2, 0xbe], [0xd2, 0xbe, 0xd2, 0xbe], [0xd3, 0xbe, 0xd3, 0xbe],
      [0xd1, 0xba, 0xd1, 0xba],
    ]
    .map {
      row(
        $0, "is the state of a VMware machine (vmss, vmsn)", .convert(command: "vmss2core -N6 it"))
    }
    + [[0xfe, 0xed, 0xfa], [0xce, 0xfa, 0xed], [0xcf, 0xfa, 0xed]].map {
      row($0, "is a Mach-O file")
    }
    // The signature of a swap area ends its first page.
    + ["S1SUSPEND", "S2SUSPEND", "ULSUSPEND"].map {
      row(Array($0.utf8), at: 4086, "is a swap area with a hibernated Linux")
    }

  private static func row(_ start: [UInt8], at offset: Int = 0, _ what: String, _ hint: Hint? = nil)
    -> FormatTable.Row
  {
    FormatTable.Row(start: start, offset: offset, use: .refused(what, hint))
  }

  /// A row for a text of which each character is a byte.
  private static func row(_ start: String, _ what: String, _ hint: Hint? = nil) -> FormatTable.Row {
    row(start.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }, what, hint)
  }

  private static func disk(_ format: String) -> Hint {
    .convert(command: "qemu-img convert -f \(format) -O raw it FILE")
  }
}
