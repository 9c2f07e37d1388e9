// xen-compare DOMID STREAM: reads a suspended domain through the library, and compares it with what Xen's
// own save wrote in the same pause: every page and every record.
// xen-compare DOMID live ROUNDS: reads all memory of a running domain so many times; only page tables may be
// impossible to have.
#if Xen
internal import CheckpointImage
internal import Glibc
internal import Storage
@testable internal import XenDomain

func contents(of path: String) -> [UInt8] {
  let file = unsafe open(path, O_RDONLY)
  let size = Int(lseek(file, 0, SEEK_END))
  var bytes = [UInt8](repeating: 0, count: size)
  var count = 0
  while count < size {
    let got = unsafe bytes.withUnsafeMutableBytes {
      unsafe pread(
        file, UnsafeMutableRawBufferPointer(rebasing: $0[count...]).baseAddress, size - count,
        off_t(count))
    }
    guard got > 0 else { fatalError("cannot read \(path)") }
    count += got
  }
  return bytes
}

let arguments = CommandLine.arguments
guard arguments.count >= 3, let id = UInt32(arguments[1]) else {
  print("usage: xen-compare DOMID STREAM | DOMID live ROUNDS")
  exit(64)
}
do {
  let hypervisor = try Hypervisor()
  guard let state = try hypervisor.domain(id) else { throw CheckpointError.gone(id) }
  let comparison = Comparison(
    state.isHVM ? HVMMemory(id, hypervisor, Cancellation()) : try PVMemory(id, hypervisor))
  let problems =
    if arguments[2] == "live" {
      try comparison.live(rounds: arguments.count > 3 ? Int(arguments[3]) ?? 1 : 1)
    } else {
      try comparison.suspended(SavedStream(contents(of: arguments[2])))
    }
  exit(problems == 0 ? 0 : 1)
} catch {
  print("ERROR:", error)
  exit(2)
}
#endif
