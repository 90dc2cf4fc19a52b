"""Loaded by the emulator's own Python: what can only be bent from inside it (MiniStack 1.5.33)."""

import socketserver

# Without Nagle's delay a warm invocation takes 11 ms instead of 55 ms.
socketserver.StreamRequestHandler.disable_nagle_algorithm = True


def honour_batch_size():
    """A function is given at most 10 messages, whatever BatchSize says. AWS gives it up to 10,000 of a standard queue."""
    from ministack.services import sqs

    def receive(queue_url, batch_size):
        with sqs._queues_lock:
            queue = sqs._get_q(queue_url)
            most = 10 if queue["is_fifo"] else 10_000
            sqs._expire_retained(queue)
            sqs._dlq_sweep(queue)
            visibility = int(queue["attributes"].get("VisibilityTimeout", "30"))
            return sqs._collect_msgs(queue, min(int(batch_size or 1), most), visibility)

    sqs._receive_messages_for_esm = receive


honour_batch_size()
