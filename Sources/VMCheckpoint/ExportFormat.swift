internal import CheckpointChain
internal import CheckpointCodec
public import CheckpointImage
internal import Formats
internal import Operations
public import Storage

/// The formats that other programs read.
public enum ExportFormat: String, CaseIterable, Sendable {
  /// An `xl save` file, for `xl restore`.
  case xl
  /// Xen's libxl stream.
  case libxl
  /// Xen's libxc stream.
  case libxc
  /// A save file of libvirt's libxl driver.
  case libvirt
  /// A suspend image of XenServer or XCP-ng.
  case xenserver
  /// The physical memory, byte for byte; pages whose contents are not known are zeros.
  case raw
  /// An ELF core file of the physical memory, for crash, drgn, gdb and Volatility.
  case elf
  /// A kdump-compressed dump, for crash and makedumpfile; the sink must be seekable.
  case kdump
  /// A memory image of LiME.
  case lime
}

extension Checkpoint {
  /// Writes the moment in a format that other programs read into `sink`, which is committed.
  ///
  /// - Returns: the number of pages whose contents are not known: they are zeros in the file, or left out.
  /// - Throws: `.refused` for a format of Xen's if no guest can go on from the moment, or if the image was not
  ///   captured from a stream of Xen's.
  @discardableResult
  public func export(
    as format: ExportFormat, to sink: any ByteSink, threads: Int? = nil,
    cancellation: Cancellation = Cancellation(), progress: Progress = { _ in }
  ) throws(CheckpointError) -> UInt64 {
    guard let format = FileFormat(name: format.rawValue) else {
      throw CheckpointError(.refused, "no format is called \(format.rawValue)")
    }
    let guest = try DumpedGuest(of: chain, as: format, level: nil, codec: nil)
    let missing = try Export.run(
      chain, as: format, options: guest.options, to: sink,
      on: WriteOptions(threads: threads).pool(cancellation), progress: progress)
    try sink.commit()
    return missing.unknown
  }
}
