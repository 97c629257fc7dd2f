// An environment that takes over a stem cell: its code is mounted under the waiting runtime, which asks what it is to
// become and is told when both that and its turn have come.
import Logging
import MartletCore
import MartletSandbox
import MartletWire
import NIOCore

extension Environment {
  /// What the waiting runtime of a stem cell is told, once. In an empty one nobody is to be told: its code comes first.
  struct StemOrder {
    /// The code is mounted.
    var isGrafted = false
    /// Initialisation has come to the runtime.
    var isDue = false
    var asked: HTTPExchange?
  }

  /// `GET`, from the runtime's bootstrap: the working directory and the variables, each with a NUL behind it.
  static let stemOrderPath = "/_martlet/order"

  /// The environment has a runtime that waits already, in a sandbox which is its own from now on.
  func takeOver(_ cell: StemCell, _ live: Live) {
    if !cell.isEmpty { live.lastProgram = StemCell.programNumber }
    guard let inherited = cell.pass(to: self) else { return discard(live, nil) }
    live.sandbox = inherited.sandbox
    live.resources = inherited.resources
    occupy(inherited.resources)
    competeLater(inherited.resources)
    if isForked {
      live.hasRuntime = true
      live.programNumber = StemCell.programNumber
      live.runtimeIsAlive = true
    } else {
      live.stemOrder = StemOrder(isGrafted: cell.hasCode)
      if !cell.hasCode { parts.sandboxes.graft(specification, onto: inherited.sandbox) }
    }
    adopt(inherited.resources.listeners)
    // The runtime may have ended since somebody took the cell.
    for piece in inherited.news { piece(self) }
  }

  package func sandboxGrafted(_ fault: Fault?) {
    onLoop { live in
      guard live.sandbox != nil else { return }
      guard live.stemOrder != nil else {
        // The runtime ended meanwhile, and another one is started; it needs the code as well.
        if let fault { self.sandboxFailed(fault, program: nil) }
        return
      }
      if let fault { return self.stemCellFailed(fault, live) }
      live.stemOrder?.isGrafted = true
      if self.stemCell?.isEmpty == true { live.stemOrder = nil }
      self.sendOrder(live)
    }
  }

  /// The runtime's turn: what waits goes on. False if the runtime has to be started.
  func wakeStemCell(_ live: Live) -> Bool {
    if live.hasRuntime {
      live.hasRuntime = false
      return true
    }
    guard live.stemOrder != nil else { return false }
    live.stemOrder?.isDue = true
    // Who builds the sandbox mounts the code first, and starts what is ordered now thereafter.
    if stemCell?.isEmpty == true { return false }
    live.programNumber = StemCell.programNumber
    live.runtimeIsAlive = true
    sendOrder(live)
    return true
  }

  func stemCellAsks(_ exchange: HTTPExchange) {
    let live = live.value
    guard live.stemOrder != nil, stemCell?.isEmpty == false else { return exchange.send(RuntimeAPI.unknown) }
    live.stemOrder?.asked = exchange
    // One turn later: if whoever asks has died since, its connection's end is heard first.
    eventLoop.execute { self.sendOrder(self.live.value) }
  }

  /// Whoever asked has gone.
  func stemCellIsGone(_ exchange: HTTPExchange, _ live: Live) {
    if live.stemOrder?.asked == exchange { live.stemOrder?.asked = nil }
  }

  /// The runtime has ended. True if it had heard nothing of the function: then another one is started in its place.
  func stemCellEnded(_ live: Live) -> Bool {
    guard let order = live.stemOrder else { return false }
    live.stemOrder = nil
    live.runtimeIsAlive = false
    if order.isDue { startRuntime(live) }
    return true
  }

  private func sendOrder(_ live: Live) {
    guard let order = live.stemOrder, order.isGrafted, order.isDue, let asked = order.asked else { return }
    live.stemOrder = nil
    var body = ByteBuffer()
    for text in [program.workingDirectory] + program.environment {
      body.writeString(text)
      body.writeInteger(0, as: UInt8.self)
    }
    asked.send(HTTPReply(status: 200, headers: [("Content-Type", "application/octet-stream")], body: body))
  }

  /// The environment gets a sandbox as if there had been no cell.
  private func stemCellFailed(_ fault: Fault, _ live: Live) {
    parts.log.warning("a stem cell could not be used", metadata: ["fault": "\(fault)"])
    guard let sandbox = live.sandbox, live.extensions == nil else { return discard(live, nil) }
    let isDue = live.stemOrder?.isDue ?? false
    live.stemOrder = nil
    live.runtimeIsAlive = false
    live.resources = nil
    for channel in live.channels { channel.close(promise: nil) }
    live.channels = []
    parts.sandboxes.destroy(sandbox)
    live.sandbox = parts.sandboxes.create(specification, observer: self)
    if isDue { startRuntime(live) }
  }
}
