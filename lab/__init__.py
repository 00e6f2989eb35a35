"""The fault lab: broken networks made of network namespaces and real servers, to score the diagnosis."""
