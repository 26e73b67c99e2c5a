//! Every story on the embedded API server, under a paused clock where nothing real is waited for.

use sluice_testkit::world::World;

macro_rules! tell {
    ([$($any:ident)*] [$($embedded:ident)*] [$($connected:ident)*]) => {
        $(tell!(@ [tokio::test(start_paused = true)] $any);)*
        $(tell!(@ [tokio::test(start_paused = true)] $embedded);)*
        $(tell!(@ [tokio::test] $connected);)*
    };
    (@ [$($test:tt)*] $story:ident) => {
        #[$($test)*]
        async fn $story() {
            let mut world = World::embedded().await;
            sluice_flows::stories::$story::tell(&mut world).await;
            world.stop().await;
        }
    };
}

sluice_flows::stories!(tell);
