// Reserved concurrency: the part of the account's concurrency that belongs to one function, and all that it gets.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
import MartletWire

package struct ReservedConcurrency: Attachment {
  /// Environments that may work at the same time. 0 throttles every invocation.
  package let executions: Int

  package init(executions: Int) { self.executions = executions }

  package init?(json: JSONValue) {
    guard let executions = json["ReservedConcurrentExecutions"]?.integer else { return nil }
    self.executions = executions
  }

  package var json: JSONValue { .members(("ReservedConcurrentExecutions", .integer(Int64(executions)))) }
}
