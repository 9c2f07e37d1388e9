package import CheckpointImage

extension CheckpointError {
  /// The message of a tool: the error, and what the user can do about it.
  package var message: String { hint.map { "\(self); \($0.text)" } ?? "\(self)" }
}

extension Hint {
  /// What the user can do, in terms of the tools' options.
  package var text: String {
    switch self {
    case .replaceExisting: "--force replaces it"
    case .searchElsewhere: "--search adds folders"
    case .takeAsRawMemory: "--format raw takes it as plain memory"
    case .exportMemory: "--to raw, elf, kdump and lime are possible"
    case .exportELF: "use --to elf"
    case .exportXenServer: "--to xenserver or --to libxc is possible"
    case .giveConfiguration: "give one with --config FILE"
    case .giveName: "give one with --name"
    case .salvage(let file, pages: true):
      "'ckpt-verify --salvage FILE \(file)' rescues what can be trusted of it"
    case .salvage(let file, pages: false):
      "'ckpt-verify --salvage FILE \(file)' rescues its records, but no page: in a stream, a later copy "
        + "of each may have been missing"
    case .keepUncertain:
      "--keep-uncertain makes an image of what came, for analysis: a later copy of each page may be missing"
    case .numberImages: "name the images by a pattern, such as -o 'name-%04d.ckpt'"
    case .evictWhenMerging:
      "capture it whole, and leave pages out of its images with ckpt-merge --evict"
    case .useImage: "ckpt-merge and ckpt-restore read it"
    case .captureKdump: "ckpt-capture reads it"
    case .convert(let command): "'\(command)' makes a file of it that can be captured"
    case .exportWithItsTool:
      "the tool that made it can export the memory in it, as plain memory for --format raw"
    case .useVolatility: "'vol -f FILE' (Volatility 3) reads it as it is"
    case .dumpWithVirsh:
      "restore the guest from it, and dump it with 'virsh dump --memory-only GUEST FILE' or QEMU's dump-guest-memory"
    case .captureMemoryOnly: "--memory-only works without the guest's help"
    case .capturePaused: "try again later, or use --pause"
    case .captureDomain: "of a running domain, capture xen:NAME instead"
    case .giveSqueezeSize: "give --squeeze a size"
    case .captureUnsqueezed: "--squeeze cannot be used"
    case .restoreDisks(let snapshot?):
      "put back the snapshot that was made in the pause of this checkpoint (\(snapshot)), then give "
        + "--disks-restored; or give --clone for a domain that only reads them"
    case .restoreDisks(nil):
      "put back the contents of the moment of the checkpoint, then give --disks-restored; or give "
        + "--clone for a domain that only reads them"
    case .destroyOrClone(let domain):
      "destroy it first (xl destroy \(domain)), or give --clone --name NAME for a second domain"
    }
  }
}
