//! Every story on the embedded API server, under a paused clock.

use sluice_testkit::world::World;

macro_rules! tell {
    ([$($any:ident)*] [$($embedded:ident)*]) => { $(tell!(@ $any);)* $(tell!(@ $embedded);)* };
    (@ $story:ident) => {
        #[tokio::test(start_paused = true)]
        async fn $story() {
            let mut world = World::embedded().await;
            sluice_flows::stories::$story::tell(&mut world).await;
            world.stop().await;
        }
    };
}

sluice_flows::stories!(tell);
