package import CheckpointCodec
package import CheckpointImage
package import Storage

/// The pages that makedumpfile left out of a kdump-compressed dump: those in its first bitmap but not in its
/// second.
package enum KdumpExclusions {
  /// Reads them from a file, as a plan with the reason *listed*.
  package static func read(_ path: String, cancellation: Cancellation = Cancellation())
    throws(CheckpointError) -> EvictionPlan
  {
    let file = try LocalFile(path, cancellation: cancellation)
    do throws(CheckpointError) {
      let start = try file.bytes(at: 0, count: Int(min(file.length, 16)))
      guard start.starts(with: KdumpHeader.signature) else { throw refusal(start) }
      var plan = EvictionPlan()
      for pages in try KdumpFile(file).excluded {
        plan.evict(pages, .listed)
      }
      return plan
    } catch {
      throw error.inFile(file.name)
    }
  }

  private static func refusal(_ start: [UInt8]) -> CheckpointError {
    if start.starts(with: KdumpHeader.flattened) {
      return CheckpointError(
        .refused, "is a flattened dump", hint: .convert(command: "makedumpfile -R FILE < it"))
    }
    if start.starts(with: [0x7f, 0x45, 0x4c, 0x46]) {
      return CheckpointError(
        .refused, "is an ELF file: only kdump-compressed dumps say what was left out")
    }
    return CheckpointError(.refused, "is not a kdump-compressed dump as makedumpfile writes it")
  }
}
