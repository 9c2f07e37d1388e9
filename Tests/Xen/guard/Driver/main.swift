// guard-driver DOMAIN-ID UUID PATIENCE: does with a guard what each line of standard input says, prints what
// came of it, and waits for the next line: so that it can be killed after any of them.
import CheckpointImage
import Glibc
import Storage
import XenDomain

OwnProgram.runIfStartedAsHelper()
let arguments = CommandLine.arguments
guard arguments.count == 4, let id = UInt32(arguments[1]), let uuid = DomainUUID(arguments[2]),
  let patience = Int(arguments[3])
else { exit(64) }

/// Prints a line at once.
func say(_ line: Any) {
  let bytes = Array("\(line)\n".utf8)
  unsafe _ = write(STDOUT_FILENO, bytes, bytes.count)
}

func milliseconds(_ work: () throws -> Void) throws -> Double {
  let time = try ContinuousClock().measure(work)
  return Double(time.components.attoseconds / 1_000_000_000_000) / 1000
    + Double(time.components.seconds) * 1000
}

do {
  let control = try GuardClient(
    DomainIdentity(id: id, uuid: uuid), patience: patience,
    cancellation: Cancellation())
  for line in control.recovered { say("recovered: \(line)") }
  say("ready")
  while let line = readLine() {
    do {
      let took = try milliseconds {
        switch line {
        case "log-dirty on": say(try control.startDirtyLog() ? "has log-dirty" : "no log-dirty")
        case "log-dirty off": try control.stopDirtyLog()
        case "suspend": try control.suspend()
        case "resume": try control.resume()
        case "pause": try control.pause()
        case "unpause": try control.unpause()
        case "close": try control.close()
        default: exit(64)
        }
      }
      say("done: \(line) (\(took) ms)")
    } catch {
      say("error: \(line): \(error)")
    }
  }
} catch {
  say("error: \(error)")
  exit(2)
}
