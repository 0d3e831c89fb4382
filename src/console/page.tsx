import { effect } from '@preact/signals';
import type { ComponentType } from 'preact';
import { Frame } from './frame.js';
import { loadSession, Login, sessionTrouble } from './login.js';
import { AccountPage } from './pages/account.js';
import { AccountsPage } from './pages/accounts.js';
import { AlertsPage } from './pages/alerts.js';
import { EventsPage } from './pages/events.js';
import { FleetPage } from './pages/fleet.js';
import { JobsPage } from './pages/jobs.js';
import { LeasesPage } from './pages/leases.js';
import { ParkedPage } from './pages/parked.js';
import { PolicyPage } from './pages/policy.js';
import { RecoveriesPage } from './pages/recoveries.js';
import { WhyPage } from './pages/why.js';
import { Empty, TroubleNote, Waiting } from './parts/basics.js';
import { place } from './router.js';
import { may, session } from './session.js';
import { language, say } from './text.js';
import { type View, type ViewName, VIEWS } from './views.js';

const PAGES: Record<ViewName, ComponentType> = {
  fleet: FleetPage,
  accounts: AccountsPage,
  leases: LeasesPage,
  recoveries: RecoveriesPage,
  jobs: JobsPage,
  parked: ParkedPage,
  alerts: AlertsPage,
  events: EventsPage,
  policy: PolicyPage,
  why: WhyPage,
};

effect(() => {
  document.documentElement.lang = language.value;
});

/** The whole page: the log-in, or a view within its frame. */
export function Page() {
  if (session.value === undefined) {
    return (
      <main class="login">
        <h1>Account Manager</h1>
        {sessionTrouble.value === null ? (
          <Waiting>{say('loading')}</Waiting>
        ) : (
          <TroubleNote trouble={sessionTrouble.value} again={() => void loadSession()} />
        )}
      </main>
    );
  }
  if (session.value === null) return <Login />;
  const { path } = place.value;
  const view = VIEWS.find((one) => one.path === path) ?? null;
  const [, accountId] = /^\/accounts\/([0-9a-f-]{36})$/i.exec(path) ?? [];
  return (
    <Frame view={accountId === undefined ? view : (VIEWS.find(({ name }) => name === 'accounts') ?? null)}>
      {accountId === undefined ? <Shown view={view} /> : <AccountPage key={accountId} id={accountId.toLowerCase()} />}
    </Frame>
  );
}

function Shown({ view }: { view: View | null }) {
  if (view === null) return <Empty>{say('no-such-page')}</Empty>;
  if (!may(view.needs)) return <Empty>{say('not-allowed', { operation: view.needs })}</Empty>;
  const Content = PAGES[view.name];
  return <Content />;
}
