import { type LookupAddress, type LookupOptions, lookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** Where requests may go: anywhere, not into private networks, or into no private network but these (CIDR or address). */
export type PrivateAddresses = 'allow' | 'refuse' | readonly string[];

/** What an address that is not allowed fails with, as Node's own errors carry theirs. */
export const privateAddressCode = 'ERR_PRIVATE_ADDRESS';

/**
 * Networks that the internet does not route, or that mean this machine or this link: IANA's special-purpose registries
 * (RFC 6890 and its updates). 169.254.0.0/16 holds the clouds' metadata services; 64:ff9b::/96 and 2002::/16 hold IPv4 addresses.
 */
const privateNetworks = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/128',
  '::1/128',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '100::/64',
  '2001:db8::/32',
  '2002::/16',
  'fc00::/7',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
];

/** Looks at addresses where the connection is made, so that a name cannot be looked up as one and connected to as another. */
export interface AddressRule {
  /** Null: the host may be asked. Else why not. A name is judged when it is looked up. */
  refuses(hostname: string): string | null;
  /** For connections; undefined: nothing is refused. */
  readonly lookup: LookupFunction | undefined;
}

/** @param allowed as configured, checked there. */
export function addressRule(allowed: PrivateAddresses): AddressRule {
  if (allowed === 'allow') return { refuses: () => null, lookup: undefined };
  const inner = blockList(privateNetworks);
  const exempt = blockList(allowed === 'refuse' ? [] : allowed);
  const isRefused = (address: string) => {
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    return inner.check(address, family) && !exempt.check(address, family);
  };
  return {
    refuses: (hostname) => {
      const address = hostname.replace(/^\[|\]$/g, '');
      return isIP(address) !== 0 && isRefused(address) ? reason(address) : null;
    },
    lookup: (hostname, options, callback) => lookedUp(hostname, options, isRefused, callback),
  };
}

function reason(address: string): string {
  return `${address} is an address of a private network, and OUTGOING_PRIVATE_ADDRESSES does not allow it`;
}

function lookedUp(
  hostname: string,
  options: LookupOptions,
  isRefused: (address: string) => boolean,
  callback: Parameters<LookupFunction>[2],
): void {
  lookup(hostname, { ...options, all: true }, (error, found: LookupAddress[]) => {
    const refused = error === null ? found.find(({ address }) => isRefused(address)) : undefined;
    const first = found?.[0];
    if (error !== null || first === undefined) {
      callback(error ?? new Error('the name has no address'), '', 0);
      return;
    }
    if (refused) {
      callback(Object.assign(new Error(reason(refused.address)), { code: privateAddressCode }), '', 0);
      return;
    }
    if (options.all) callback(null, found);
    else callback(null, first.address, first.family);
  });
}

function blockList(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return list;
}
