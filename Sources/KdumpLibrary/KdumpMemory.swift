internal import CKdumpfile
internal import CheckpointCodec
internal import CheckpointImage
internal import Formats
internal import Glibc
internal import Storage

/// The pages of a dump, as libkdumpfile expands them.
@safe final class KdumpMemory: PhysicalMemory {
  let limit: PFN
  let runs: [Range<PFN>]
  // SAFETY of all uses: `context` is freed only by `deinit`; `kdump_read` is given the length of one page.
  private let context: OpaquePointer
  private let descriptor: Int32
  private let name: String
  /// Whether the context can be freed: the library crashes when it frees one that could not open a damaged file.
  private var isOpen = false

  init(_ file: LocalFile, _ dump: KdumpFile) throws(CheckpointError) {
    limit = dump.limit
    runs = dump.dumped
    guard let context = unsafe kdump_new() else {
      throw CheckpointError(.io, "libkdumpfile has no memory")
    }
    unsafe self.context = context
    name = file.name
    do throws(CheckpointError) {
      descriptor = try file.ownDescriptor()
    } catch {
      unsafe kdump_free(context)
      throw error
    }
    // Not mapped: this process would be killed if somebody truncated a mapped file.
    try unsafe check(
      kdump_set_number_attr(context, "file.mmap_policy", UInt(KDUMP_MMAP_NEVER.rawValue)))
    try unsafe check(kdump_open_fd(context, descriptor))
    isOpen = true
  }

  deinit {
    if isOpen { unsafe kdump_free(context) }
    close(descriptor)
  }

  /// Copies pages; those that are not in the dump, or damaged there, are unknown.
  func copy(_ pfns: ArraySlice<PFN>, to buffer: PageBuffer, at slot: Int) throws(CheckpointError)
    -> [Int]
  {
    var unknown: [Int] = []
    for (place, pfn) in zip(pfns.indices, pfns) {
      let target = slot + place - pfns.startIndex
      // The library is asked only for what is known to be there.
      let run = runs.indices.partitioningIndex { runs[$0].upperBound > pfn }
      guard run < runs.count, runs[run].contains(pfn) else {
        unknown.append(place)
        continue
      }
      let bytes = unsafe buffer.mutableBytes(target..<target + 1)
      var length = bytes.count
      let status = unsafe kdump_read(
        context, KDUMP_MACHPHYSADDR, UInt(pfn) << UInt(Limits.pageShift), bytes.baseAddress, &length
      )
      switch status {
      case KDUMP_OK where length == Limits.pageSize: break
      // Left out of it, cut off, or damaged: other pages can be read all the same.
      case KDUMP_OK, KDUMP_ERR_NODATA, KDUMP_ERR_CORRUPT, KDUMP_ERR_EOF: unknown.append(place)
      default:
        do throws(CheckpointError) {
          try check(status)
        } catch {
          var error = error
          error.structure = "PFN \(pfn)"
          throw error
        }
      }
    }
    return unknown
  }

  private func check(_ status: kdump_status) throws(CheckpointError) {
    guard status != KDUMP_OK else { return }
    let reason = unsafe kdump_get_err(context).map { unsafe String(cString: $0) } ?? ""
    throw CheckpointError(
      status == KDUMP_ERR_SYSTEM ? .io : status == KDUMP_ERR_NOTIMPL ? .unsupported : .damaged,
      "libkdumpfile: \(reason)", file: name)
  }
}
