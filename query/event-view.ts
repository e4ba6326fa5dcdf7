/** A row of events as the API shows it: absent is null, IPv4 looks like IPv4, times are milliseconds. */
import type { AuditEvent, Lifecycle, Outcome, TimeSource } from '../schemas/api.ts';
import { idOf, type EventRow } from './audit-trail.ts';
import { familyOf } from './user-agent-family.ts';

const text = (value: unknown) => (value === '' || value === null || value === undefined ? null : String(value));
const number = (value: unknown) => (value === null || value === undefined ? null : Number(value));
const address = (value: unknown) => text(value)?.replace(/^::ffff:(?=\d+\.)/, '') ?? null;

export type EventView = ReturnType<typeof viewEvent>;

export function viewEvent(row: EventRow) {
  return {
    id: idOf(row),
    timestamp: Math.floor(Number(row['at_us']) / 1_000),
    timeSource: String(row['time_source']).toUpperCase() as TimeSource, // the column's words, in lower case
    receivedAt: Number(row['arrival_ms']),
    tenant: row['tenant'],
    gateway: {
      kind: row['gateway_kind'],
      name: text(row['gateway_name']),
      format: row['source_format'],
      routeId: text(row['gateway_route_id']),
      routeName: text(row['gateway_route_name']),
      serviceId: text(row['gateway_service_id']),
      serviceName: text(row['gateway_service_name']),
    },
    request: {
      method: text(row['http_request_method']),
      methodOriginal: text(row['http_request_method_original']),
      scheme: text(row['url_scheme']),
      host: text(row['server_address']),
      path: text(row['url_path']),
      query: text(row['url_query']),
      route: text(row['http_route']),
      bytes: number(row['http_request_size']),
      bodyBytes: number(row['http_request_body_size']),
      userAgent: text(row['user_agent_original']),
      userAgentFamily: text(familyOf(String(row['user_agent_original'] ?? ''))),
      protocol: text(row['network_protocol_version']),
      tlsVersion: text(row['tls_protocol_version']),
      tlsCipher: text(row['tls_cipher']),
    },
    response: {
      status: number(row['http_response_status_code']),
      upstreamStatus: number(row['upstream_status_code']),
      upstreamAttempts: number(row['upstream_attempts']),
      bytes: number(row['http_response_size']),
      bodyBytes: number(row['http_response_body_size']),
    },
    outcome: String(row['outcome']).toUpperCase() as Outcome, // likewise
    errorType: text(row['error_type']),
    durationMs: number(row['duration_ms']),
    upstreamDurationMs: number(row['upstream_duration_ms']),
    gatewayDurationMs: number(row['gateway_duration_ms']),
    client: {
      address: address(row['client_address']),
      peerAddress: address(row['network_peer_address']),
      forwardedFor: text(row['forwarded_for']),
      country: text(row['client_country']),
      asn: text(row['client_asn']),
    },
    principal: {
      consumerId: text(row['consumer_id']),
      consumerName: text(row['consumer_name']),
      consumerGroup: text(row['consumer_group']),
      credentialId: text(row['credential_id']),
      credentialHash: text(row['credential_hash']),
      authType: text(row['auth_type']),
    },
    api: {
      id: text(row['api_id']),
      name: text(row['api_name']),
      version: text(row['api_version']),
      operation: text(row['operation_id']),
      lifecycle: (text(row['lifecycle'])?.toUpperCase() as Lifecycle | undefined) ?? null, // likewise
      sunsetAt: number(row['sunset_ms']),
      collection: text(row['collection']),
      dataClasses: row['data_classes'],
    },
    signals: row['signals'],
    requestId: text(row['request_id']),
    traceId: text(row['trace_id']),
    spanId: text(row['span_id']),
    attributes: Object.keys(row['attributes'] as object).length === 0 ? null : row['attributes'],
    position: {
      topic: row['topic'],
      sourceEpoch: Number(row['source_epoch']),
      partition: Number(row['kafka_partition']),
      offset: Number(row['kafka_offset']),
      index: Number(row['message_index']),
    },
    redactedFields: [],
  } satisfies AuditEvent;
}
