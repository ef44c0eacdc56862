import { apiVersionOf, type OwnerReference } from '@tapestry/kube';
import {
	type Resource,
	type VirtualMachine,
	type VirtualMachineInstance,
	virtualMachineInstanceResource,
	virtualMachineResource,
} from '@tapestry/network';

/** Holds an instance until its pods are gone, so that the next one never runs beside it. The name is KubeVirt's. */
export const instanceFinalizer = 'foregroundDeleteVirtualMachine';

/** The instance that a machine's template describes. The template's spec must have a domain. */
export function newInstance(vm: VirtualMachine): VirtualMachineInstance {
	const { metadata = {}, spec } = vm.spec.template;
	const { name, namespace } = vm.metadata;
	return {
		apiVersion: apiVersionOf(virtualMachineInstanceResource),
		kind: virtualMachineInstanceResource.kind,
		metadata: {
			name,
			...(namespace === undefined ? {} : { namespace }),
			labels: metadata.labels ?? {},
			annotations: metadata.annotations ?? {},
			finalizers: [instanceFinalizer],
			ownerReferences: [controllerReference(virtualMachineResource, vm.metadata)],
		},
		spec: { ...spec, domain: spec?.domain ?? {} },
	};
}

/** The reference of an object to the one that controls it. */
export function controllerReference(resource: Resource, owner: { readonly name: string; readonly uid?: string }): OwnerReference {
	const { name, uid = '' } = owner;
	return { apiVersion: apiVersionOf(resource), kind: resource.kind, name, uid, controller: true, blockOwnerDeletion: true };
}
