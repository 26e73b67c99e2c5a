use crate::bindings::sluice::host::revision::Host;
use crate::state::CallState;

impl Host for CallState {
    fn revision(&mut self) -> wasmtime::Result<String> {
        self.count_host_call()?;
        self.recorder.revision_asked = true;
        Ok(self.inputs.revision.clone())
    }
}
