// Real processes over the store: they work together, and errors say which process is missing, dies,
// hangs or belongs to another run.
#include "harness/execute/processes/store_wire.h"

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <thread>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "harness/execute/processes/process_group.h"
#include "harness/execute/processes/store_socket.h"
#include "harness/execute/processes/test_processes.h"
#include "harness/plan/errors.h"

namespace cpbench {
namespace {

constexpr double kLong = 60;  // generous, because the machine may be busy

// Opens the wire, runs the body, and closes the wire unless the body throws.
void in_group(const LaunchEnvironment& launch, double timeout_seconds,
              const std::function<void(ProcessGroup& group, Wire& wire)>& body) {
  const std::unique_ptr<Wire> wire = open_store_wire(launch, kLong);
  ProcessGroup group(*wire, {.timeout_seconds = timeout_seconds});
  body(group, *wire);
  wire->finish();
}

void expect_all_well(const std::vector<EndedProcess>& ended) {
  for (const EndedProcess& process : ended) {
    EXPECT_EQ(process.thrown, "");
    EXPECT_EQ(process.stderr_text, "");
    EXPECT_EQ(process.exit_code, 0);
  }
}

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

// Sends messages around the ring: empty, short, and longer than one frame of the store.
void expect_to_work(ProcessGroup& group) {
  group.together([&] {
    group.agree("value", "same");
    group.barrier();
    const int32_t next = (group.rank() + 1) % group.size();
    const int32_t previous = (group.rank() + group.size() - 1) % group.size();
    for (const size_t size : {size_t{0}, size_t{7}, (size_t{9} << 20) + 1}) {
      group.send(group.rank(), next, 3, bytes_of(std::string(size, 'a' + group.rank())));
      std::string text(size, ' ');
      group.receive(previous, group.rank(), 3, std::as_writable_bytes(std::span(text)));
      EXPECT_TRUE(text == std::string(size, 'a' + previous));
    }
  });
}

std::string address_at(uint16_t port) { return "localhost:" + std::to_string(port); }

TEST(StoreWire, processes_work_together) {
  for (int32_t processes : {1, 2, 5}) {
    expect_all_well(run_real_processes(processes, [&](const LaunchEnvironment& launch) {
      in_group(launch, kLong, [&](ProcessGroup& group, Wire& wire) {
        EXPECT_EQ(group.rank(), launch.process);
        EXPECT_EQ(group.size(), processes);
        EXPECT_EQ(wire.ranks_on_node(), processes);
        EXPECT_TRUE(wire.library().starts_with("TCPStore of LibTorch 2."));
        expect_to_work(group);
        if (processes > 1) expect_to_work(group);
        if (group.rank() == 0) {
          group.send_command("end");
        } else {
          EXPECT_EQ(group.receive_command(), "end");
        }
      });
    }));
  }
}

TEST(StoreWire, many_messages_arrive_in_order) {
  expect_all_well(run_real_processes(2, [](const LaunchEnvironment& launch) {
    in_group(launch, kLong, [](ProcessGroup& group, Wire&) {
      group.together([&] {
        for (int32_t i = 0; i < 2500; ++i) {
          group.send(group.rank(), 1 - group.rank(), 0, bytes_of(std::to_string(1000 + i)));
          if (i % 10 == 0) group.barrier();
        }
        for (int32_t i = 0; i < 2500; ++i) {
          std::string text(4, ' ');
          group.receive(1 - group.rank(), group.rank(), 0, std::as_writable_bytes(std::span(text)));
          ASSERT_EQ(text, std::to_string(1000 + i));
        }
      });
    });
  }));
}

TEST(StoreWire, a_difference_is_named_on_every_process) {
  const auto ended = run_real_processes(3, [](const LaunchEnvironment& launch) {
    in_group(launch, kLong, [](ProcessGroup& group, Wire& wire) {
      try {
        group.together([&] { group.agree("plan", group.rank() == 2 ? "aa" : "bb"); });
      } catch (const RanksDisagree&) {
        wire.finish();
        throw;
      }
    });
  });
  for (const EndedProcess& process : ended) {
    EXPECT_EQ(process.thrown, "the ranks disagree on the plan: rank 0 has bb, rank 2 has aa");
    EXPECT_EQ(process.stderr_text, "");
  }
}

TEST(StoreWire, a_message_of_another_program_ends_the_run) {
  const auto ended = run_real_processes(2, [](const LaunchEnvironment& launch) {
    in_group(launch, kLong, [&](ProcessGroup& group, Wire&) {
      if (group.rank() == 1) {
        c10d::TCPStoreOptions options;
        options.port = launch.port;
        options.waitWorkers = false;
        c10d::TCPStore store("localhost", options);
        store.queuePush("cpbench/0", std::vector<uint8_t>(100, 0xff));
      }
      group.together([&] { group.receive_command(); });
    });
  });
  EXPECT_NE(ended.at(0).thrown.find("a message in the store is not from cpbench"),
            std::string::npos)
      << ended.at(0).thrown;
}

TEST(StoreWire, a_process_that_throws_ends_the_work_everywhere_and_not_the_next) {
  expect_all_well(run_real_processes(3, [](const LaunchEnvironment& launch) {
    in_group(launch, kLong, [](ProcessGroup& group, Wire&) {
      std::string reason;
      try {
        group.together([&] {
          const int32_t next = (group.rank() + 1) % 3;
          for (int i = 0; i < 5; ++i) group.send(group.rank(), next, 3, bytes_of("stale!"));
          if (group.rank() == 1) throw std::runtime_error("kernel broke");
          for (;;) group.check_peers();
        });
      } catch (const ExecutionFailure& failure) {
        reason = failure.what();
      }
      EXPECT_EQ(reason, group.rank() == 0 ? "rank 1: kernel broke" : "");
      expect_to_work(group);
    });
  }));
}

// The command line does the same: the process that finds the group broken ends all processes.
void end_all_if_broken(ProcessGroup& group, Wire& wire, const std::function<void()>& work) {
  try {
    group.together(work);
  } catch (const GroupBroken& broken) {
    std::fprintf(stderr, "%s\n", broken.what());
    wire.abort(5);
  }
}

TEST(StoreWire, a_process_that_dies_is_named_and_all_end) {
  const auto ended = run_real_processes(3, [](const LaunchEnvironment& launch) {
    in_group(launch, 2, [](ProcessGroup& group, Wire& wire) {
      end_all_if_broken(group, wire, [&] {
        group.barrier();
        if (group.rank() == 1) ::raise(SIGKILL);
        group.agree("plan", "x");
      });
    });
  });
  EXPECT_EQ(ended[0].stderr_text,
            "rank 1 does not answer; rank 0: no progress for 2 s, waiting for a message from rank "
            "1\n");
  EXPECT_EQ(ended[1].signal, SIGKILL);
  EXPECT_EQ(ended[2].stderr_text, "cpbench: error: process 0 has ended the run\n");
  EXPECT_EQ(ended[0].exit_code, 5);
  EXPECT_EQ(ended[2].exit_code, 5);
}

TEST(StoreWire, a_process_that_hangs_is_named_and_ended) {
  const auto ended = run_real_processes(2, [](const LaunchEnvironment& launch) {
    in_group(launch, 1, [](ProcessGroup& group, Wire& wire) {
      end_all_if_broken(group, wire, [&] {
        while (group.rank() == 1) ::pause();
        group.agree("plan", "x");
      });
    });
  });
  EXPECT_EQ(ended[0].stderr_text,
            "rank 1 does not answer; rank 0: no progress for 1 s, waiting for a message from rank "
            "1\n");
  EXPECT_EQ(ended[1].stderr_text, "cpbench: error: process 0 has ended the run\n");
  EXPECT_EQ(ended[1].exit_code, 5);
}

// Long before the timeout, because the store ended with process 0.
TEST(StoreWire, the_death_of_process_0_is_noticed_at_once) {
  for (const bool between_works : {false, true}) {
    const auto start = std::chrono::steady_clock::now();
    const auto ended = run_real_processes(3, [&](const LaunchEnvironment& launch) {
      in_group(launch, kLong, [&](ProcessGroup& group, Wire&) {
        group.together([&] { group.barrier(); });
        if (group.rank() == 0) ::raise(SIGKILL);
        if (between_works) group.receive_command();
        group.together([&] { group.barrier(); });
      });
    });
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
    EXPECT_EQ(ended[0].signal, SIGKILL);
    for (int32_t other : {1, 2}) {
      EXPECT_TRUE(
          ended[other].thrown.starts_with("process 0 is gone, and with it the store at localhost:"))
          << ended[other].thrown;
      EXPECT_EQ(ended[other].stderr_text, "");
    }
  }
}

TEST(StoreWire, a_missing_process_is_named_by_all) {
  const uint16_t port = free_port();
  std::vector<RealProcess> started;
  for (int32_t process : {0, 1, 3}) {
    started.emplace_back([=] { open_store_wire(launch_for_tests(process, 5, port), 4); });
  }
  for (RealProcess& process : started) {
    const EndedProcess ended = process.wait();
    EXPECT_EQ(ended.thrown, "processes 2, 4 of 5 did not connect to " + address_at(port) +
                                " within 4 s: were all started, and can their nodes reach it?");
    EXPECT_EQ(ended.stderr_text, "");
  }
}

TEST(StoreWire, a_missing_process_0_is_reported) {
  const uint16_t port = free_port();
  RealProcess process([&] { open_store_wire(launch_for_tests(1, 2, port), 0.3); });
  const EndedProcess ended = process.wait();
  EXPECT_EQ(ended.thrown, "nothing listens at " + address_at(port) +
                              " after 0.3 s: process 0 did not start, is on another node, or is "
                              "behind a firewall");
  EXPECT_EQ(ended.stderr_text, "");
}

TEST(StoreWire, a_late_process_0_is_waited_for) {
  expect_all_well(run_real_processes(2, [](const LaunchEnvironment& launch) {
    if (launch.process == 0) std::this_thread::sleep_for(std::chrono::milliseconds(500));
    in_group(launch, kLong, [](ProcessGroup& group, Wire&) { expect_to_work(group); });
  }));
}

TEST(StoreWire, a_host_without_address) {
  LaunchEnvironment launch = launch_for_tests(1, 2, free_port());
  launch.address = "no-such-host.invalid";
  RealProcess process([&] { open_store_wire(launch, 0.3); });
  const std::string thrown = process.wait().thrown;
  EXPECT_TRUE(thrown.starts_with("host 'no-such-host.invalid' has no address here (")) << thrown;
}

TEST(StoreWire, a_port_in_use) {
  const uint16_t port = free_port();
  const int taken = listen_at("localhost", port);
  RealProcess process_0([&] { open_store_wire(launch_for_tests(0, 2, port), kLong); });
  EXPECT_EQ(process_0.wait().thrown,
            "process 0 cannot listen at port " + std::to_string(port) +
                " (Address already in use): set MASTER_PORT to a free port, the same for all "
                "processes");
  // What listens at the port does not answer.
  RealProcess process_1([&] { open_store_wire(launch_for_tests(1, 2, port), 0.5); });
  const EndedProcess ended = process_1.wait();
  EXPECT_TRUE(ended.thrown.starts_with("the server at " + address_at(port) +
                                       " is not a TCPStore of LibTorch "))
      << ended.thrown;
  EXPECT_EQ(ended.stderr_text, "");
  ::close(taken);
}

TEST(StoreWire, two_runs_at_one_port_are_refused) {
  const uint16_t port = free_port();
  std::vector<RealProcess> started;
  for (const std::string run : {"7.0", "8.0"}) {
    started.emplace_back([=] {
      LaunchEnvironment launch = launch_for_tests(run == "8.0", 2, port);
      launch.run = run;
      open_store_wire(launch, kLong);
    });
  }
  for (RealProcess& process : started) {
    EXPECT_EQ(process.wait().thrown,
              "process 1 at " + address_at(port) +
                  " belongs to run '8.0' of 2 processes, and process 0 to run '7.0' of 2 "
                  "processes: set MASTER_PORT to a different port for each run");
  }
}

TEST(StoreWire, two_processes_of_one_number) {
  const uint16_t port = free_port();
  std::vector<RealProcess> started;
  for (int32_t process : {0, 1, 1}) {
    started.emplace_back([=] { open_store_wire(launch_for_tests(process, 3, port), kLong); });
  }
  EXPECT_EQ(started[0].wait().thrown,
            "two processes at " + address_at(port) +
                " claim to be process 1: set MASTER_PORT to a different port for each run");
  for (int32_t i : {1, 2}) EXPECT_NE(started[i].wait().thrown, "");  // they share a queue
}

// torchrun's store is served by another process, before and after the run.
TEST(StoreWire, a_store_that_already_exists) {
  const uint16_t port = free_port();
  RealProcess agent([&] {
    const std::unique_ptr<Wire> wire = open_store_wire(launch_for_tests(0, 1, port), kLong);
    for (;;) ::pause();
  });
  for (const std::string run : {"a.0", "a.1"}) {
    std::vector<RealProcess> started;
    for (int32_t process : {0, 1}) {
      started.emplace_back([=] {
        LaunchEnvironment launch = launch_for_tests(process, 2, port);
        launch.has_store = true;
        launch.run = run;
        in_group(launch, kLong, [](ProcessGroup& group, Wire&) { expect_to_work(group); });
      });
    }
    for (RealProcess& process : started) expect_all_well({process.wait()});
  }
  ::kill(agent.id(), SIGKILL);
  agent.wait();
}

}  // namespace
}  // namespace cpbench
