// The table of the service: every operation of AWS's model, alphabetical, one row each.
// https://docs.aws.amazon.com/lambda/latest/api/API_Operations.html
import MartletWire

extension LambdaService {
  package static let rows: [OperationRow<LambdaService>] = [
    .init(
      missing: .rest(
        "Lambda.AddLayerVersionPermission", .POST,
        "/2018-10-31/layers/{LayerName}/versions/{VersionNumber}/policy", status: 201)),
    .init(missing: .rest("Lambda.AddPermission", .POST, "/2015-03-31/functions/{FunctionName}/policy", status: 201)),
    .init(
      missing: .rest(
        "Lambda.CheckpointDurableExecution", .POST, "/2025-12-01/durable-executions/{DurableExecutionArn}/checkpoint")),
    .init(missing: .rest("Lambda.CreateAlias", .POST, "/2015-03-31/functions/{FunctionName}/aliases", status: 201)),
    .init(missing: .rest("Lambda.CreateCapacityProvider", .POST, "/2025-11-30/capacity-providers", status: 202)),
    .init(missing: .rest("Lambda.CreateCodeSigningConfig", .POST, "/2020-04-22/code-signing-configs", status: 201)),
    .init(missing: .rest("Lambda.CreateEventSourceMapping", .POST, "/2015-03-31/event-source-mappings", status: 202)),
    .init(Lambda.CreateFunction.self),
    .init(
      missing: .rest(
        "Lambda.CreateFunctionUrlConfig", .POST, "/2021-10-31/functions/{FunctionName}/url", status: 201)),
    .init(
      missing: .rest(
        "Lambda.DeleteAlias", .DELETE, "/2015-03-31/functions/{FunctionName}/aliases/{Name}", status: 204)),
    .init(
      missing: .rest(
        "Lambda.DeleteCapacityProvider", .DELETE,
        "/2025-11-30/capacity-providers/{CapacityProviderName}", status: 202)),
    .init(
      missing: .rest(
        "Lambda.DeleteCodeSigningConfig", .DELETE,
        "/2020-04-22/code-signing-configs/{CodeSigningConfigArn}", status: 204)),
    .init(
      missing: .rest(
        "Lambda.DeleteDurableExecution", .DELETE, "/2025-12-01/durable-executions/{DurableExecutionArn}", status: 202)),
    .init(
      missing: .rest(
        "Lambda.DeleteEventSourceMapping", .DELETE, "/2015-03-31/event-source-mappings/{UUID}", status: 202)),
    .init(Lambda.DeleteFunction.self),
    .init(
      missing: .rest(
        "Lambda.DeleteFunctionCodeSigningConfig", .DELETE,
        "/2020-06-30/functions/{FunctionName}/code-signing-config", status: 204)),
    .init(
      missing: .rest(
        "Lambda.DeleteFunctionConcurrency", .DELETE, "/2017-10-31/functions/{FunctionName}/concurrency", status: 204)),
    .init(
      missing: .rest(
        "Lambda.DeleteFunctionEventInvokeConfig", .DELETE,
        "/2019-09-25/functions/{FunctionName}/event-invoke-config", status: 204)),
    .init(
      missing: .rest(
        "Lambda.DeleteFunctionUrlConfig", .DELETE, "/2021-10-31/functions/{FunctionName}/url", status: 204)),
    .init(
      missing: .rest(
        "Lambda.DeleteLayerVersion", .DELETE, "/2018-10-31/layers/{LayerName}/versions/{VersionNumber}", status: 204)),
    .init(
      missing: .rest(
        "Lambda.DeleteProvisionedConcurrencyConfig", .DELETE,
        "/2019-09-30/functions/{FunctionName}/provisioned-concurrency", status: 204)),
    .init(
      missing: .rest(
        "Lambda.DeleteResourcePolicy", .DELETE, "/2026-07-09/resource-policy/{ResourceArn}", status: 204)),
    .init(Lambda.GetAccountSettings.self),
    .init(missing: .rest("Lambda.GetAlias", .GET, "/2015-03-31/functions/{FunctionName}/aliases/{Name}")),
    .init(missing: .rest("Lambda.GetCapacityProvider", .GET, "/2025-11-30/capacity-providers/{CapacityProviderName}")),
    .init(
      missing: .rest(
        "Lambda.GetCodeSigningConfig", .GET, "/2020-04-22/code-signing-configs/{CodeSigningConfigArn}")),
    .init(missing: .rest("Lambda.GetDurableExecution", .GET, "/2025-12-01/durable-executions/{DurableExecutionArn}")),
    .init(
      missing: .rest(
        "Lambda.GetDurableExecutionHistory", .GET, "/2025-12-01/durable-executions/{DurableExecutionArn}/history")),
    .init(
      missing: .rest(
        "Lambda.GetDurableExecutionState", .GET, "/2025-12-01/durable-executions/{DurableExecutionArn}/state")),
    .init(missing: .rest("Lambda.GetEventSourceMapping", .GET, "/2015-03-31/event-source-mappings/{UUID}")),
    .init(Lambda.GetFunction.self),
    .init(
      missing: .rest(
        "Lambda.GetFunctionCodeSigningConfig", .GET, "/2020-06-30/functions/{FunctionName}/code-signing-config")),
    .init(missing: .rest("Lambda.GetFunctionConcurrency", .GET, "/2019-09-30/functions/{FunctionName}/concurrency")),
    .init(Lambda.GetFunctionConfiguration.self),
    .init(
      missing: .rest(
        "Lambda.GetFunctionEventInvokeConfig", .GET, "/2019-09-25/functions/{FunctionName}/event-invoke-config")),
    .init(
      missing: .rest(
        "Lambda.GetFunctionRecursionConfig", .GET, "/2024-08-31/functions/{FunctionName}/recursion-config")),
    .init(
      missing: .rest(
        "Lambda.GetFunctionScalingConfig", .GET, "/2025-11-30/functions/{FunctionName}/function-scaling-config")),
    .init(missing: .rest("Lambda.GetFunctionUrlConfig", .GET, "/2021-10-31/functions/{FunctionName}/url")),
    .init(missing: .rest("Lambda.GetLayerVersion", .GET, "/2018-10-31/layers/{LayerName}/versions/{VersionNumber}")),
    .init(missing: .rest("Lambda.GetLayerVersionByArn", .GET, "/2018-10-31/layers?find=LayerVersion")),
    .init(
      missing: .rest(
        "Lambda.GetLayerVersionPolicy", .GET, "/2018-10-31/layers/{LayerName}/versions/{VersionNumber}/policy")),
    .init(missing: .rest("Lambda.GetPolicy", .GET, "/2015-03-31/functions/{FunctionName}/policy")),
    .init(
      missing: .rest(
        "Lambda.GetProvisionedConcurrencyConfig", .GET,
        "/2019-09-30/functions/{FunctionName}/provisioned-concurrency")),
    .init(missing: .rest("Lambda.GetResourcePolicy", .GET, "/2026-07-09/resource-policy/{ResourceArn}")),
    .init(
      missing: .rest(
        "Lambda.GetRuntimeManagementConfig", .GET, "/2021-07-20/functions/{FunctionName}/runtime-management-config")),
    .init(Lambda.Invoke.self),
    .init(
      missing: .rest(
        "Lambda.InvokeAsync", .POST, "/2014-11-13/functions/{FunctionName}/invoke-async", status: 202)),
    .init(
      missing: .rest(
        "Lambda.InvokeWithResponseStream", .POST,
        "/2021-11-15/functions/{FunctionName}/response-streaming-invocations")),
    .init(missing: .rest("Lambda.ListAliases", .GET, "/2015-03-31/functions/{FunctionName}/aliases")),
    .init(missing: .rest("Lambda.ListCapacityProviders", .GET, "/2025-11-30/capacity-providers")),
    .init(missing: .rest("Lambda.ListCodeSigningConfigs", .GET, "/2020-04-22/code-signing-configs")),
    .init(
      missing: .rest(
        "Lambda.ListDurableExecutionsByFunction", .GET, "/2025-12-01/functions/{FunctionName}/durable-executions")),
    .init(missing: .rest("Lambda.ListEventSourceMappings", .GET, "/2015-03-31/event-source-mappings")),
    .init(
      missing: .rest(
        "Lambda.ListFunctionEventInvokeConfigs", .GET,
        "/2019-09-25/functions/{FunctionName}/event-invoke-config/list")),
    .init(missing: .rest("Lambda.ListFunctionUrlConfigs", .GET, "/2021-10-31/functions/{FunctionName}/urls")),
    .init(
      missing: .rest(
        "Lambda.ListFunctionVersionsByCapacityProvider", .GET,
        "/2025-11-30/capacity-providers/{CapacityProviderName}/function-versions")),
    .init(Lambda.ListFunctions.self),
    .init(
      missing: .rest(
        "Lambda.ListFunctionsByCodeSigningConfig", .GET,
        "/2020-04-22/code-signing-configs/{CodeSigningConfigArn}/functions")),
    .init(missing: .rest("Lambda.ListLayerVersions", .GET, "/2018-10-31/layers/{LayerName}/versions")),
    .init(missing: .rest("Lambda.ListLayers", .GET, "/2018-10-31/layers")),
    .init(
      missing: .rest(
        "Lambda.ListProvisionedConcurrencyConfigs", .GET,
        "/2019-09-30/functions/{FunctionName}/provisioned-concurrency?List=ALL")),
    .init(Lambda.ListTags.self),
    .init(Lambda.ListVersionsByFunction.self),
    .init(
      missing: .rest(
        "Lambda.PauseDurableExecution", .POST,
        "/2025-12-01/durable-executions/{DurableExecutionArn}/pause", status: 202)),
    .init(missing: .rest("Lambda.PublishLayerVersion", .POST, "/2018-10-31/layers/{LayerName}/versions", status: 201)),
    .init(Lambda.PublishVersion.self),
    .init(
      missing: .rest(
        "Lambda.PutFunctionCodeSigningConfig", .PUT, "/2020-06-30/functions/{FunctionName}/code-signing-config")),
    .init(missing: .rest("Lambda.PutFunctionConcurrency", .PUT, "/2017-10-31/functions/{FunctionName}/concurrency")),
    .init(
      missing: .rest(
        "Lambda.PutFunctionEventInvokeConfig", .PUT, "/2019-09-25/functions/{FunctionName}/event-invoke-config")),
    .init(
      missing: .rest(
        "Lambda.PutFunctionRecursionConfig", .PUT, "/2024-08-31/functions/{FunctionName}/recursion-config")),
    .init(
      missing: .rest(
        "Lambda.PutFunctionScalingConfig", .PUT,
        "/2025-11-30/functions/{FunctionName}/function-scaling-config", status: 202)),
    .init(
      missing: .rest(
        "Lambda.PutProvisionedConcurrencyConfig", .PUT,
        "/2019-09-30/functions/{FunctionName}/provisioned-concurrency", status: 202)),
    .init(missing: .rest("Lambda.PutResourcePolicy", .PUT, "/2026-07-09/resource-policy/{ResourceArn}")),
    .init(
      missing: .rest(
        "Lambda.PutRuntimeManagementConfig", .PUT, "/2021-07-20/functions/{FunctionName}/runtime-management-config")),
    .init(
      missing: .rest(
        "Lambda.RemoveLayerVersionPermission", .DELETE,
        "/2018-10-31/layers/{LayerName}/versions/{VersionNumber}/policy/{StatementId}", status: 204)),
    .init(
      missing: .rest(
        "Lambda.RemovePermission", .DELETE, "/2015-03-31/functions/{FunctionName}/policy/{StatementId}", status: 204)),
    .init(
      missing: .rest(
        "Lambda.ResumeDurableExecution", .POST,
        "/2025-12-01/durable-executions/{DurableExecutionArn}/resume", status: 202)),
    .init(
      missing: .rest(
        "Lambda.SendDurableExecutionCallbackFailure", .POST,
        "/2025-12-01/durable-execution-callbacks/{CallbackId}/fail")),
    .init(
      missing: .rest(
        "Lambda.SendDurableExecutionCallbackHeartbeat", .POST,
        "/2025-12-01/durable-execution-callbacks/{CallbackId}/heartbeat")),
    .init(
      missing: .rest(
        "Lambda.SendDurableExecutionCallbackSuccess", .POST,
        "/2025-12-01/durable-execution-callbacks/{CallbackId}/succeed")),
    .init(
      missing: .rest(
        "Lambda.StopDurableExecution", .POST, "/2025-12-01/durable-executions/{DurableExecutionArn}/stop")),
    .init(Lambda.TagResource.self),
    .init(Lambda.UntagResource.self),
    .init(missing: .rest("Lambda.UpdateAlias", .PUT, "/2015-03-31/functions/{FunctionName}/aliases/{Name}")),
    .init(
      missing: .rest(
        "Lambda.UpdateCapacityProvider", .PUT, "/2025-11-30/capacity-providers/{CapacityProviderName}", status: 202)),
    .init(
      missing: .rest(
        "Lambda.UpdateCodeSigningConfig", .PUT, "/2020-04-22/code-signing-configs/{CodeSigningConfigArn}")),
    .init(
      missing: .rest(
        "Lambda.UpdateEventSourceMapping", .PUT, "/2015-03-31/event-source-mappings/{UUID}", status: 202)),
    .init(Lambda.UpdateFunctionCode.self),
    .init(Lambda.UpdateFunctionConfiguration.self),
    .init(
      missing: .rest(
        "Lambda.UpdateFunctionEventInvokeConfig", .POST, "/2019-09-25/functions/{FunctionName}/event-invoke-config")),
    .init(missing: .rest("Lambda.UpdateFunctionUrlConfig", .PUT, "/2021-10-31/functions/{FunctionName}/url")),
  ]
}
