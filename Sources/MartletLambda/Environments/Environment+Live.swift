// Everything about an environment that changes; touched on its event loop only.
import Glibc
import MartletCore
import MartletSandbox
import MartletWire
import NIOCore

extension Environment {
  /// The state of an environment.
  final class Live {
    var machine = Machine()
    /// In the place of `machine` where several invocations share the environment.
    var concurrent: ConcurrentStateMachine<HTTPExchange, Work>?
    var sandbox: SandboxID?
    /// What the sandbox was made with, for the first start of the runtime.
    var zygote: SandboxID?
    var resources: SandboxResources?
    /// What its runtime has not been told yet, if it was taken over.
    var stemOrder: StemOrder?
    var channels: [any Channel] = []
    let log: InvocationLog
    /// Where several invocations share the environment: those whose logs are being written.
    var logged: [RequestID: Work] = [:]
    /// What the runtime and its children print.
    let output: LogSource
    /// The writing end of its pipe, given to every runtime that is started.
    let outputWriter: CInt
    /// The right to initialise, until that is over.
    var turn: InitialisationTurn?
    /// The runtime is to be started as soon as the sandbox is there.
    var startsWhenCreated = false
    /// The last number that was given to a process.
    var lastProgram: UInt32 = 0
    /// Number of the runtime's process; ends of earlier ones are old news.
    var programNumber: UInt32 = 0
    var runtimeIsAlive = false
    var isFrozen = false
    var initStarted: UInt64 = 0
    /// How long INIT took, until a REPORT has said it.
    var initDuration: Nanoseconds?
    /// The end of a runtime, before it has any consequences.
    var exit: (reason: ExitReason, program: UInt32)?
    /// What the runtime said about its own failed initialisation.
    var initError: (type: String, payload: ByteBuffer)?
    /// Its runtime runs already, and nobody has to start it.
    var hasRuntime = false
    /// When its runtime was told to go on from its snapshot.
    var restoreBegan: UInt64?
    /// How long that took, if it began so.
    var restored: Nanoseconds?
    /// Its process waits to be forked.
    var canBeForked = false
    /// What it was to show has been told.
    var trialIsOver = false
    /// Why the runtime is no more, until another is started.
    var loss: ColdStartReason?
    /// When the current phase ends by force; nil = never.
    var deadline: UInt64?
    var freezeAt: UInt64?
    var timerAt: UInt64?
    /// Kept for provisioned concurrency.
    var isProvisioned = false
    /// nil until there is one.
    var extensions: Extensions?
    /// nil as long as there are no extensions, and when nobody has subscribed.
    var telemetry: Telemetry?
    /// Where what is logged is kept; nil = nowhere.
    var kept: FunctionLog?
    /// The UDP port of the X-Ray daemon, until a traced invocation comes: the kernel keeps meanwhile what is sent.
    var daemon: CInt?
    /// Connections into the environment that were asked for.
    var tickets: [UInt32: EventLoopPromise<CInt>] = [:]
    var lastTicket: UInt32 = 0
    /// Whose initialisation was the last.
    var initPhase = Machine.Phase.initialisation
    /// The shutdown phase, while it lasts.
    var shutdown: Shutdown?
    /// Who waits for the end of the environment.
    var closing: [CheckedContinuation<Void, Never>] = []

    init(log: InvocationLog, output: LogSource, outputWriter: CInt) {
      self.log = log
      self.output = output
      self.outputWriter = outputWriter
    }

    deinit {
      close(outputWriter)
      if let daemon { close(daemon) }
    }

    /// Somebody wants to know how long an invocation took when it is over.
    var isFollowed: Bool { telemetry != nil || kept != nil }

    /// Calls `body` when everything that was printed has been read.
    func whenCaughtUp(_ body: @escaping () -> Void) {
      let others = extensions?.outputs ?? []
      output.whenCaughtUp { Live.whenCaughtUp(others[...], body) }
    }

    private static func whenCaughtUp(_ sources: ArraySlice<LogSource>, _ body: @escaping () -> Void) {
      guard let first = sources.first else { return body() }
      first.whenCaughtUp { whenCaughtUp(sources.dropFirst(), body) }
    }
  }

  /// The extensions of an environment.
  struct Extensions {
    var machine: ExtensionsStateMachine<HTTPExchange>
    /// The processes that are alive.
    var programs: [UInt32: String] = [:]
    var outputs: [LogSource] = []
    /// What they were told of last, with the deadline in milliseconds since 1970.
    var current: (work: Work, deadline: Int64)?
  }

  /// The shutdown phase of an environment.
  struct Shutdown {
    enum Purpose {
      /// A new runtime may follow.
      case reset
      case removal
    }

    var machine: ShutdownStateMachine
    var purpose: Purpose
    let reason: ShutdownReason
    /// The moment that the SHUTDOWN event names.
    var deadline: UInt64 = 0
    /// When the machine wants to be asked again.
    var wakeAt: UInt64?
  }
}
