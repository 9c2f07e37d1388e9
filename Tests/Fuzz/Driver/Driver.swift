internal import FuzzTargets
internal import Glibc

private let target: FuzzTarget = {
  let name = unsafe getenv("TARGET").map { unsafe String(cString: $0) } ?? ""
  guard let target = FuzzTarget(rawValue: name) else {
    fatalError("TARGET is one of \(FuzzTarget.allCases.map(\.rawValue))")
  }
  return target
}()

/// Called by libFuzzer for each input.
@_cdecl("LLVMFuzzerTestOneInput")
package func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let input = unsafe [UInt8](UnsafeBufferPointer(start: data, count: count))
  if case .broken(let problem) = target.run(input) { fatalError(problem) }
  return 0
}
