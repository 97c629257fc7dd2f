// `/_martlet/fast-start`: what is ready ahead of the next environments, and how often it has served since the start.
import MartletCore
import MartletLambda
import MartletWire

enum FastStartPage {
  static let path = "/_martlet/fast-start"

  static func reply(
    _ fastStart: FastStart?, _ stemCells: StemCells?, _ snapshots: Snapshots?,
    _ functionZygotes: FunctionZygotes?, _ gate: InitialisationGate?
  ) async -> HTTPReply {
    let (zygotes, figures) = (fastStart?.census ?? [], await fastStart?.figures() ?? [])
    var json = JSONWriter()
    json.object { w in
      w.name("enabled")
      w.value(fastStart != nil)
      w.name("zygotes")
      w.array(zygotes) { w, zygote in
        w.object { w in
          w.name("account")
          w.value(zygote.key.account)
          w.name("interpreter")
          w.value(zygote.key.interpreter)
          w.name("up")
          w.value(zygote.isUp)
          for (name, value) in [("starts", zygote.starts), ("level", zygote.level), ("failures", zygote.failures)] {
            w.name(name)
            w.value(value)
          }
        }
      }
      w.name("stemCells")
      w.array(stemCells?.census ?? []) { w, kind in
        w.object { w in
          if let account = kind.account {
            w.name("account")
            w.value(account)
          }
          if let version = kind.version {
            w.name("function")
            w.value(version.name)
            w.name("version")
            w.value(version.version.description)
          }
          if let interpreter = kind.interpreter {
            w.name("interpreter")
            w.value(interpreter)
          }
          let figures = kind.figures
          for (name, value) in [
            ("memory", kind.memory.bytes >> 20), ("ready", figures.ready), ("coming", figures.coming),
            ("taken", figures.taken), ("missed", figures.missed), ("failures", figures.failures),
          ] {
            w.name(name)
            w.value(value)
          }
        }
      }
      w.name("functionZygotes")
      write(functionZygotes?.census ?? [], to: &w)
      w.name("snapshots")
      write(snapshots?.census ?? [], to: &w)
      if let census = gate?.census {
        w.name("initialisations")
        w.object { w in
          for (name, value) in [("running", census.running), ("waiting", census.waiting), ("delayed", census.delayed)] {
            w.name(name)
            w.value(value)
          }
        }
      }
      for (name, value) in figures {
        w.name(name)
        w.value(value)
      }
    }
    return HTTPReply(status: 200, headers: [("Content-Type", "application/json")], body: json.buffer)
  }

  /// Those from which the environments of one version each are forked.
  private static func write(_ processes: [SnapshotFigures], to w: inout JSONWriter) {
    w.array(processes) { w, process in
      w.object { w in
        w.name("function")
        w.value(process.function)
        w.name("version")
        w.value(process.version)
        w.name("up")
        w.value(process.isUp)
        let cells = process.cells
        for (name, value) in [
          ("starts", process.starts), ("ready", cells?.ready ?? 0), ("coming", cells?.coming ?? 0),
          ("taken", cells?.taken ?? 0), ("missed", cells?.missed ?? 0),
        ] {
          w.name(name)
          w.value(value)
        }
      }
    }
  }
}
