import { isDeepStrictEqual } from 'node:util';
import { timestamp } from '@tapestry/kube';
import {
	type ApiObject,
	childOf,
	type Draft,
	fillDefaults,
	isRecord,
	type MutableJson,
	recordAt,
	recordsAt,
	stringAt,
} from '../objects.ts';
import type { FieldError } from '../schema/index.ts';
import type { Admission, Strategy } from './kind.ts';
import { duplicate, invalidValue, labelProblems, notAllowed, required, unsupported } from './names.ts';

const restartPolicies = ['Always', 'OnFailure', 'Never'];
const dnsPolicies = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'];
const protocols = ['TCP', 'UDP', 'SCTP'];

export const podStrategy: Strategy = {
	generation: true,
	returnsDeleted: true,
	fields: [
		'spec.nodeName',
		'spec.restartPolicy',
		'spec.schedulerName',
		'spec.serviceAccountName',
		'spec.hostNetwork',
		'status.phase',
		'status.podIP',
		'status.nominatedNodeName',
	],
	create(draft, admission) {
		applyPodDefaults(childOf(draft, 'spec'));
		draft.status = {
			phase: 'Pending',
			qosClass: qosClassOf(draft),
			...(stringAt(draft, 'spec.nodeName') ? { conditions: [scheduled(admission)] } : {}),
		};
	},
	update: (draft) => applyPodDefaults(childOf(draft, 'spec')),
	validate: (object, before) => [
		...validatePodSpec(recordAt(object, 'spec') ?? {}, 'spec'),
		...(before ? validatePodUpdate(object, before) : []),
	],
};

export function scheduled(admission: Pick<Admission, 'now'>): MutableJson {
	return { type: 'PodScheduled', status: 'True', lastProbeTime: null, lastTransitionTime: timestamp(admission.now) };
}

function applyPodDefaults(spec: MutableJson): void {
	applyPodSpecDefaults(spec);
	fillDefaults(spec, { enableServiceLinks: true, serviceAccountName: spec.serviceAccount ?? 'default' });
	fillDefaults(spec, { serviceAccount: spec.serviceAccountName });
}

/** The defaults of k8s.io/kubernetes/pkg/apis/core/v1 that other programs read. Also for the templates of workloads. */
export function applyPodSpecDefaults(spec: MutableJson): void {
	fillDefaults(spec, {
		restartPolicy: 'Always',
		terminationGracePeriodSeconds: 30,
		dnsPolicy: 'ClusterFirst',
		schedulerName: 'default-scheduler',
		securityContext: {},
	});
	for (const container of [...recordsAt(spec, 'containers'), ...recordsAt(spec, 'initContainers')]) {
		fillDefaults(container, {
			imagePullPolicy: pullPolicyOf(container.image),
			resources: {},
			terminationMessagePath: '/dev/termination-log',
			terminationMessagePolicy: 'File',
		});
		for (const port of recordsAt(container, 'ports'))
			fillDefaults(port, { protocol: 'TCP', ...(spec.hostNetwork ? { hostPort: port.containerPort } : {}) });
		for (const probe of ['livenessProbe', 'readinessProbe', 'startupProbe']) {
			const settings = container[probe];
			if (isRecord(settings)) fillDefaults(settings, { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 });
		}
	}
}

function pullPolicyOf(image: unknown): string {
	const name = typeof image === 'string' ? image : '';
	const tag = /:([^/:@]+)$/.exec(name)?.[1];
	return name.includes('@') || (tag !== undefined && tag !== 'latest') ? 'IfNotPresent' : 'Always';
}

/** Kubernetes documentation, "Pod Quality of Service Classes". */
function qosClassOf(pod: Draft): 'BestEffort' | 'Burstable' | 'Guaranteed' {
	const resources = [...recordsAt(pod, 'spec.containers'), ...recordsAt(pod, 'spec.initContainers')].map((container) => ({
		limits: recordAt(container, 'resources.limits') ?? {},
		requests: recordAt(container, 'resources.requests') ?? {},
	}));
	if (resources.every(({ limits, requests }) => Object.keys(limits).length + Object.keys(requests).length === 0)) return 'BestEffort';
	const guaranteed = resources.every(({ limits, requests }) =>
		['cpu', 'memory'].every((name) => limits[name] !== undefined && (requests[name] ?? limits[name]) === limits[name]),
	);
	return guaranteed ? 'Guaranteed' : 'Burstable';
}

export function validatePodSpec(spec: MutableJson, field: string): FieldError[] {
	const errors: FieldError[] = [];
	const containers = recordsAt(spec, 'containers');
	if (containers.length === 0) errors.push(required(`${field}.containers`));
	const names = new Set<unknown>();
	for (const list of ['containers', 'initContainers'] as const) {
		for (const [index, container] of recordsAt(spec, list).entries()) {
			const at = `${field}.${list}[${index}]`;
			errors.push(...validateContainer(container, at));
			if (names.has(container.name)) errors.push(duplicate(`${at}.name`, container.name));
			names.add(container.name);
		}
	}
	if (!restartPolicies.includes(String(spec.restartPolicy)))
		errors.push(unsupported(`${field}.restartPolicy`, spec.restartPolicy, restartPolicies));
	if (!dnsPolicies.includes(String(spec.dnsPolicy))) errors.push(unsupported(`${field}.dnsPolicy`, spec.dnsPolicy, dnsPolicies));
	const grace = spec.terminationGracePeriodSeconds;
	if (!Number.isInteger(grace) || Number(grace) < 0)
		errors.push(invalidValue(`${field}.terminationGracePeriodSeconds`, grace, 'must be greater than or equal to 0'));
	return errors;
}

function validateContainer(container: MutableJson, field: string): FieldError[] {
	const errors: FieldError[] = [];
	const { name, image } = container;
	if (typeof name !== 'string' || name === '') errors.push(required(`${field}.name`));
	else errors.push(...labelProblems(name).map((why) => invalidValue(`${field}.name`, name, why)));
	if (typeof image !== 'string' || image === '') errors.push(required(`${field}.image`));
	for (const [index, port] of recordsAt(container, 'ports').entries()) {
		errors.push(...portErrors(port.containerPort, `${field}.ports[${index}].containerPort`));
		if (!protocols.includes(String(port.protocol))) errors.push(unsupported(`${field}.ports[${index}].protocol`, port.protocol, protocols));
	}
	return errors;
}

export function portErrors(port: unknown, field: string): FieldError[] {
	if (port === undefined) return [required(field)];
	return Number.isInteger(port) && Number(port) >= 1 && Number(port) <= 65535
		? []
		: [invalidValue(field, port, 'must be between 1 and 65535, inclusive')];
}

const mutableText =
	'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

function validatePodUpdate(object: ApiObject, before: ApiObject): FieldError[] {
	const [spec, old] = [recordAt(object, 'spec') ?? {}, recordAt(before, 'spec') ?? {}];
	if (isDeepStrictEqual(spec, old)) return [];
	const tolerations = recordsAt(spec, 'tolerations');
	const lost = recordsAt(old, 'tolerations').some((kept) => !tolerations.some((one) => isDeepStrictEqual(one, kept)));
	if (lost) return [notAllowed('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds')];
	return isDeepStrictEqual(fixedPart(spec), fixedPart(old)) ? [] : [notAllowed('spec', mutableText)];
}

function fixedPart(spec: MutableJson): MutableJson {
	const { tolerations: _, activeDeadlineSeconds: __, schedulingGates: ___, ...rest } = spec;
	const withoutImage = (container: MutableJson): MutableJson => ({ ...container, image: '', imagePullPolicy: '' });
	return {
		...rest,
		containers: recordsAt(spec, 'containers').map(withoutImage),
		initContainers: recordsAt(spec, 'initContainers').map(withoutImage),
	};
}
